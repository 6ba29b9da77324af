"""A search space of the user's own, with building blocks beside it, through every verb; and in hands that lack it."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nas.cli
from nas import user_code
from nas.errors import ExperimentError, RunError
from nas.genome.graph import OPS, own_blocks
from nas.known_code import find_known, is_known, list_file, remember
from nas.search.experiment_file import load_experiment
from nas.search.space import load_space
from nas.search.store.run import load_run
from nas.search.workers.job import Job
from nas.user_code import absolute, give, load_attribute, load_shipped, short_name, sources

BLOCKS = '''
from dataclasses import dataclass
from nas.genome import Primitive, Shape, Value
from nas.genome.hyperparameters import Width
from nas.genome.op_kinds import Layer
from nas.genome.primitives import BatchNorm, Conv
from inner.numbers_of import KERNEL

@dataclass(frozen=True)
class Twice(Primitive):
    """Two convolutions (2026)."""
    width: Width
    def expand(self, *inputs: Value) -> Value:
        return BatchNorm()(Conv(self.width, 3, padding=1)(Conv(self.width, KERNEL)(*inputs)))

@dataclass(frozen=True)
class Softsign(Layer):
    """Softsign (torch.nn.functional.softsign)."""
    forward = "F.softsign({0})"
    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]
'''
SPACE = '''"""Two blocks of our own."""
from nas.genome import Graph
from nas.genome.primitives import GapHead, Stem
from own_blocks import Softsign, Twice

def tiny(trial, task):
    x = Twice(trial.suggest_int("width", 4, 32))(Stem(4)(task.image()))
    return Graph.of(GapHead(task.classes)(Softsign()(x) if LAYER else x))

LAYER = False
'''
EXPERIMENT = 'space = "tiny.py"\ndata = "digits"\ntrials = 3\nworkers = 1\nrecipe = {epochs = 1}\nsampler = "random"\n'


def write(folder: Path, space: str = SPACE) -> Path:
    """Write a project of a stranger; return its experiment."""
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "numbers_of.py").write_text("KERNEL = 1\n", encoding="utf-8")
    (folder / "own_blocks.py").write_text(BLOCKS, encoding="utf-8")
    (folder / "tiny.py").write_text(space, encoding="utf-8")
    (folder / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    return folder / "tiny.toml"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let a test begin and end as a process that has loaded nothing of the user's."""
    forget()
    yield
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.startswith(("nas_user_", "own_blocks", "inner"))]:
        del sys.modules[name]
    for op in ("Twice", "Softsign"):
        OPS.pop(op, None)
    sys.path[:] = [place for place in sys.path if "pytest-of" not in place or "wheel" in place]
    load_space.cache_clear()
    for _, shipped in user_code._shipped.values():
        shipped.cleanup()
    for kept in (user_code._trusted, user_code._given, user_code._shipped):
        kept.clear()


def call(*arguments: str) -> int | str | None:
    sys.argv = ["nas", *arguments]
    with pytest.raises(SystemExit) as ended:
        nas.cli.main()
    return ended.value.code


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search in a folder of its own, trained by worker processes."""
    folder = tmp_path_factory.mktemp("stranger") / "project"
    experiment = write(folder)
    assert call("search", str(experiment), "--out", str(folder / "run")) == 0
    return folder


def copied(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(project / "run", tmp_path / "run"))


def test_a_space_of_ones_own_is_searched_and_read_back(project: Path, tmp_path: Path) -> None:
    run = load_run(project / "run")
    assert run.experiment.space == f"{project}/tiny.py:tiny"
    assert [record.state for record in run.records] == ["complete"] * 3
    assert {block.__name__ for block in own_blocks(run.records[0].graph)} == {"Twice"}
    assert (project / "run" / "space" / "own_blocks.py").read_text(encoding="utf-8") == BLOCKS
    assert call("export", str(project / "run"), "--out", str(tmp_path / "e")) == 0
    assert "class Twice(nn.Module)" in (tmp_path / "e" / "net.py").read_text(encoding="utf-8")


def test_it_is_found_again_by_what_this_person_has_run(project: Path, tmp_path: Path) -> None:
    assert call("resume", str(copied(project, tmp_path)), "--trials", "4") == 0
    assert load_run(tmp_path / "run").experiment.trials == 4


@pytest.mark.slow
def test_without_its_code_all_that_needs_none_works(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NAS_CONFIG_DIR", str(tmp_path / "nobody"))
    run = copied(project, tmp_path)
    assert call("status", str(run)) == call("report", str(run)) == call("show", f"{run}:best") == 0
    assert call("export", str(run), "--out", str(tmp_path / "e")) == 0
    assert "class Twice" not in (tmp_path / "e" / "net.py").read_text(encoding="utf-8")
    assert "nas_user" not in "".join(sys.modules)
    capsys.readouterr()
    for verb in ("resume --trials 5", "finalists --seeds 1 --top 1 --epochs 1"):
        name, *options = verb.split()
        assert call(name, str(run), *options) == 2
        assert "--space FILE.py" in capsys.readouterr().err
    assert call("resume", str(run), "--trials", "4", "--space", str(project / "tiny.py")) == 0
    assert is_known(f"{project}/tiny.py:tiny")


@pytest.mark.slow
def test_a_run_directory_names_no_code_that_is_run(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAS_CONFIG_DIR", str(tmp_path / "nobody"))
    run, marker = copied(project, tmp_path), tmp_path / "marker"
    for file in (run / "space" / "tiny.py", tmp_path / "evil.py"):
        file.write_text(f"open({str(marker)!r}, 'w')\n{SPACE}", encoding="utf-8")
    monkeypatch.chdir(run)
    for place in (run / "space" / "tiny.py", tmp_path / "evil.py", Path("space/tiny.py")):
        text = (project / "run" / "experiment.toml").read_text(encoding="utf-8")
        (run / "experiment.toml").write_text(text.replace(f"{project}/tiny.py", str(place)), encoding="utf-8")
        for verb in ("status", "report", "doctor", "resume --trials 9", "finalists --seeds 1", "export", "proxies"):
            name, *options = verb.split()
            call(name, str(run), *options, *(["--out", str(tmp_path / "e")] if name == "export" else []))
    assert not marker.exists()


@pytest.mark.parametrize("changed", ["own_blocks.py", "inner/numbers_of.py", "tiny.py"])
def test_a_file_that_changed_is_not_the_space_of_the_run(
    changed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    folder = tmp_path / "project"
    write(folder)
    (folder / changed).write_text((folder / changed).read_text("utf-8") + "\nMORE = 1\n", encoding="utf-8")
    run = copied(project, tmp_path)
    with pytest.raises(RunError, match=f"another search space. Changed in {changed}"):
        load_run(run, space=str(folder / "tiny.py"))


def test_a_layer_without_its_code_is_one_message(tmp_path: Path, project: Path) -> None:
    experiment = load_experiment(str(write(tmp_path / "p", SPACE.replace("LAYER = False", "LAYER = True"))))
    space = load_space(experiment.space)
    from nas.genome import Task
    from nas.search.propose.candidate import sample_network
    from nas.search.trial import TrialRecord

    record = TrialRecord.of(sample_network(space, Task("digits", (1, 8, 8), 10), 0), 0)
    job = Job.for_trial(experiment, record, tmp_path / "w")
    assert set(job.code[experiment.space]) == {"tiny.py", "own_blocks.py", "inner/numbers_of.py"}
    forget()
    with pytest.raises(RunError, match=r"'Softsign' is not an op.*name its file once: nas report RUN --space FILE\.py"):
        TrialRecord(0, {}, record.genome, "", record.cost, 0, plain_genome=record.plain_genome).graph  # noqa: B018
    shutil.rmtree(tmp_path / "p")
    load_shipped(experiment.space, Job.from_json(job.to_json()).code[experiment.space])
    assert {"Twice", "Softsign"} <= set(OPS)


def test_a_name_in_the_working_directory_never_stands_for_a_bundled_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "search_spaces"
    folder.mkdir()
    for name in ("mixed", "mine"):
        (folder / f"{name}.py").write_text(SPACE.replace("tiny", name), encoding="utf-8")
    file = tmp_path / "x.toml"
    for name, found in (("mixed", "mixed"), ("mine", f"{folder}/mine.py:mine")):
        file.write_text(EXPERIMENT.replace("tiny.py", name), encoding="utf-8")
        assert load_experiment(str(file)).space == found
    monkeypatch.chdir(tmp_path)
    assert load_experiment("quickstart", {"space": "mine"}).space == f"{folder}/mine.py:mine"
    assert load_experiment("quickstart", {"space": "search_spaces/mine.py"}).space == f"{folder}/mine.py:mine"


@pytest.mark.parametrize(
    ("space", "text", "said"),
    [
        ("no.py", "", r"no file .*no\.py"),
        ("tiny.py", "def other(trial, task): ...", r"has no tiny; its functions of a trial: other"),
        ("tiny.py", "import nothing_of_this_name", r"tiny\.py, line 1: ModuleNotFoundError"),
        ("tiny.py", "x = (", r"tiny\.py, line 1: SyntaxError"),
        ("tiny.py", "import random\ndef tiny(trial, task): ...", r"`import random` finds .* rename yours"),
        ("tinny", "", r"no search space 'tinny'"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_message(space: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(text, encoding="utf-8")
    (tmp_path / "random.py").write_text("", encoding="utf-8")
    file = tmp_path / "x.toml"
    file.write_text(EXPERIMENT.replace("tiny.py", space), encoding="utf-8")
    with pytest.raises(ExperimentError, match=said):
        load_space(load_experiment(str(file)).space)


def test_the_list_holds_what_was_run_and_forgets_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_CONFIG_DIR", str(tmp_path / "config"))
    write(tmp_path / "p")
    file = tmp_path / "p" / "tiny.py"
    name, texts = f"{file}:tiny", sources(file)
    assert list(find_known(name)) == []
    remember(name, "json:loads", "mixed")
    assert list(json.loads(list_file().read_text(encoding="utf-8"))) == [name]
    assert list(find_known("/elsewhere/tiny.py:tiny")) == [(name, texts)]
    assert list(find_known("/elsewhere/tiny.py:other")) == []
    file.write_text("changed = 1\n", encoding="utf-8")
    assert list(find_known(name)) == []
    assert not is_known(name)
    list_file().write_text("[1, 2", encoding="utf-8")
    remember(name)
    assert is_known(name)


def test_names_of_code() -> None:
    assert absolute("~/a.py", Path("/x")) == f"{Path.home()}/a.py:a"
    assert absolute("../b/a.py:f", Path("/x/y")) == "/x/b/a.py:f"
    assert absolute("package.module:f", Path("/x")) == "package.module:f"
    assert short_name("/x/b/a.py:f") == "a.py:f"
    assert short_name("mixed") == "mixed"


def test_an_object_of_this_process_has_a_name() -> None:
    def local(trial: Any, task: Any) -> None: ...

    assert load_attribute(give(local)) is local
    assert load_attribute(give(lambda: 1))() == 1
