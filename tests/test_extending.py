"""One of each is added from outside the package, works end to end, and is removed. The code is that of CONTRIBUTING.md.

| added     | places before | places now | which                                                                   |
|-----------|---------------|------------|-------------------------------------------------------------------------|
| layer     | 2             | 2          | its class, and the imports of nas/genome/primitives/__init__.py         |
| sampler   | 4             | 1          | its class, where an experiment names it; a bundled one also a `Plugin`  |
| executor  | 5             | 1          | its class, where an experiment names it; a bundled one also a `Plugin`  |
| objective | 20            | 1          | one `register`                                                          |
| trainer   | -             | 1          | its class or function, where an experiment names it                     |
| reader    | 5             | 1          | its class, where an experiment names it, or one `register`              |
| section   | 5             | 2          | its file, and the list of nas/report/run/page.py                        |
| principle | 1             | 1          | one `Principle` in the `PRINCIPLES` of its file                         |

Readers have more tests in tests/training/test_readers_contract.py, principles in tests/principles.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from search.idle import InProcess
from typer.testing import CliRunner

from nas.cli.app import app
from nas.errors import ExperimentError
from nas.genome import OPS, Graph, Task, cost
from nas.genome.primitives import GapHead, Stem
from nas.model import module
from nas.principles.claims import principle_registry
from nas.registry import Plugin
from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.objectives import OBJECTIVES
from nas.search.registries import EXECUTORS, SAMPLERS
from nas.search.store.create import create
from nas.search.store.run import Run, load_run
from nas.search.workers.executor import make_executor
from nas.search.workers.worker import train_job
from nas.testing.objectives import check_objective
from nas.testing.ops import check_op
from nas.testing.readers import check_reader
from nas.testing.samplers import check_sampler
from nas.testing.trainers import check_trainer
from nas.user_code import load_attribute

PAGE = Path(__file__).parent.parent / "CONTRIBUTING.md"
TASK = Task("digits", (1, 8, 8), 10)


def example(thing: str, folder: Path) -> Path:
    """Write the example of CONTRIBUTING.md for adding something as a user's file."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## Add {thing}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    file = folder / f"{thing.replace(' ', '_')}.py"
    file.write_text(block, encoding="utf-8")
    return file


def add_op(thing: str, name: str, folder: Path) -> Iterator[Any]:
    yield load_attribute(f"{example(thing, folder)}:{name}")
    del OPS[name]


@pytest.fixture
def mish(tmp_path: Path) -> Iterator[Any]:
    yield from add_op("a layer", "Mish", tmp_path)


@pytest.fixture
def double_conv(tmp_path: Path) -> Iterator[Any]:
    yield from add_op("a primitive", "DoubleConv", tmp_path)


@pytest.fixture
def untrained(tmp_path: Path) -> Iterator[str]:
    plugin = Plugin("untrained", "made-up errors", f"{example('an executor', tmp_path)}:Untrained")
    yield EXECUTORS.register(plugin).name
    EXECUTORS.unregister(plugin.name)


@pytest.fixture
def objectives(tmp_path: Path) -> Iterator[list[str]]:
    before = set(OBJECTIVES)
    load_attribute(f"{example('an objective', tmp_path)}:widest")
    added = [name for name in OBJECTIVES if name not in before]
    yield added
    for name in added:
        OBJECTIVES.unregister(name)


def searched(folder: Path, lines: str, **changes: Any) -> Run:
    """Return the run of three trials of an experiment file."""
    file = folder / "mine.toml"
    file.write_text(f'space = "mixed"\ndata = "digits"\ntrials = 3\nrecipe = {{epochs = 1}}\n{lines}', encoding="utf-8")
    for _ in Search(create(folder / "run", load_experiment(str(file), changes), "test")).events():
        pass
    run = load_run(folder / "run")
    assert [record.state for record in run.records] == ["complete"] * 3
    return run


def test_a_layer_and_a_primitive_are_counted_and_run(mish: Any, double_conv: Any) -> None:
    check_op(mish(), (3, 8, 8))
    check_op(double_conv(4), (3, 8, 8))
    graph = Graph.of(GapHead(10)(mish()(double_conv(8)(Stem(4)(TASK.image())))))
    stem = Graph.of(GapHead(10)(Stem(4)(TASK.image())))
    assert cost(graph).params - cost(stem).params == (4 * 8 + 8 * 8) * 9 + 2 * 16 + (8 - 4) * 10
    assert module(graph).eval()(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_sampler_is_named_by_its_file(untrained: str, tmp_path: Path) -> None:
    name = f"{example('a sampler', tmp_path)}:Fresh"
    check_sampler(load_attribute(name))
    run = searched(tmp_path, f'sampler = "{name}"\nexecutor = "{untrained}"\n')
    assert run.experiment.sampler == name


def test_a_sampler_is_one_entry(untrained: str, tmp_path: Path) -> None:
    SAMPLERS.register(Plugin("fresh", "uniform draws", f"{example('a sampler', tmp_path)}:Fresh"))
    try:
        searched(tmp_path, "", sampler="fresh", executor=untrained)
    finally:
        SAMPLERS.unregister("fresh")
    with pytest.raises(ExperimentError, match="no sampler 'fresh'"):
        load_experiment("quickstart", {"sampler": "fresh"})


def test_an_executor_is_one_entry_or_named_by_its_file(untrained: str, tmp_path: Path) -> None:
    run = searched(tmp_path, "", executor=untrained)
    assert [record.scores[-1].train_loss for record in run.records] == [0.5] * 3
    other = tmp_path / "other"
    other.mkdir()
    assert searched(other, "", executor=EXECUTORS[untrained].target).records


def test_an_executor_that_lacks_a_method_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = f"{example('an executor', tmp_path)}:Untrained"
    experiment = load_experiment("quickstart", {"executor": target})
    made = make_executor(experiment)
    monkeypatch.delattr(type(made), "proceed")
    with pytest.raises(ExperimentError, match=r"Untrained has no proceed\(\); `Executor` of"):
        make_executor(experiment)


def test_an_exact_objective_is_minimized_and_limited(objectives: list[str], untrained: str, tmp_path: Path) -> None:
    assert objectives == ["widest", "train_loss"]
    check_objective(OBJECTIVES["widest"])
    limit = 'objectives = ["error", "widest"]\n[budget]\nwidest = {max = 40}\n'
    run = searched(tmp_path, limit, executor=untrained, sampler="random")
    values = [record.vector(("widest",))[0] for record in run.records]
    assert max(values) <= 40
    assert run.proposal_counts["outside budget: widest"] > 0
    status = json.loads(CliRunner().invoke(app, ["status", str(tmp_path / "run"), "--json"]).stdout)
    assert status["best"]["widest"] == values[status["best"]["trial"]]
    assert "outside budget: widest" in status["proposals"]
    with pytest.raises(ExperimentError, match=r"mine\.toml, line 5.*no objective 'widests'"):
        searched(tmp_path, limit.replace('"widest"', '"widests"'), executor=untrained)


def test_a_measured_objective_is_minimized_where_the_sampler_can(
    objectives: list[str], untrained: str, tmp_path: Path
) -> None:
    check_objective(OBJECTIVES["train_loss"])
    lines = 'objectives = ["error", "train_loss"]\n'
    run = searched(tmp_path, lines, executor=untrained, sampler="tpe")
    assert [record.objectives(run.experiment.objectives) for record in run.records] == [
        (record.error, 0.5) for record in run.records
    ]
    with pytest.raises(ExperimentError, match="frontier models one measured objective, error; for train_loss too"):
        searched(tmp_path, lines, executor=untrained, sampler="frontier")


def test_a_reader_is_named_by_its_file(untrained: str, tmp_path: Path) -> None:
    name = f"{example('a data reader', tmp_path)}:Blank"
    check_reader(load_attribute(name)(), tmp_path)
    run = searched(tmp_path, f'executor = "{untrained}"\n', data=name, data_dir=str(tmp_path))
    assert run.task.classes == 2


def test_a_trainer_is_named_by_its_file(tmp_path: Path) -> None:
    name = f"{example('a trainer', tmp_path)}:plain"
    check_trainer(load_attribute(name))
    file = tmp_path / "mine.toml"
    file.write_text(
        f'space = "mixed"\ndata = "digits"\ntrials = 1\ntrainer = "{name}"\nbudget = {{params = {{max = 5_000}}}}\n'
        "recipe = {epochs = 2, learning_rate = 0.01}\n",
        encoding="utf-8",
    )
    for _ in Search(
        create(tmp_path / "run", load_experiment(str(file)), "test"), lambda _: InProcess(train_job)
    ).events():
        pass
    run = load_run(tmp_path / "run")
    assert (run.best().error or 1) < 0.7
    assert len(run.best().scores) == 2
    assert run.best().scores[1].seconds > run.best().scores[0].seconds > 0  # measured for it
    assert run.weights(run.best()).is_file()


def test_a_principle_is_one_entry(tmp_path: Path) -> None:
    (principle,) = load_attribute(f"{example('a claim', tmp_path)}:PRINCIPLES")
    registry = principle_registry()
    registry.register(principle)
    try:
        plan = CliRunner().invoke(
            app, ["principles", "principles_small", "--dry-run", "--set", f'principles.keys=["{principle.key}"]']
        )
    finally:
        registry.unregister(principle.key)
    assert plan.exit_code == 0, plan.output
    assert f"{principle.key}  power" in plan.output
    assert "macs within 3.0%" in plan.output


@pytest.mark.parametrize(
    ("command", "keys", "refused"),
    [
        ("status RUN", ("sampler", "executor", "data", "trainer"), ""),
        ("report RUN", ("sampler", "executor", "data", "trainer"), ""),
        ("export RUN", ("sampler", "executor"), ""),
        ("export RUN", ("data",), "data set"),
        ("resume RUN --trials 9", ("sampler",), "sampler"),
        ("resume RUN --trials 9", ("executor",), "executor"),
        ("resume RUN --trials 9", ("data",), "data set"),
        ("resume RUN --trials 9", ("trainer",), "trainer"),
        ("finalists RUN --seeds 1 --top 1 --epochs 1", ("sampler", "executor"), "executor"),
        ("finalists RUN --seeds 1 --top 1 --epochs 1", ("data",), "data set"),
    ],
)
def test_what_a_run_directory_names_is_never_imported(
    command: str,
    keys: tuple[str, ...],
    refused: str,
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, marker, evil = tmp_path / "run", tmp_path / "marker", tmp_path / "evil.py"
    shutil.copytree(finished_run, run)
    evil.write_text(f"open({str(marker)!r}, 'w').close()\nclass Evil: pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    text = (run / "experiment.toml").read_text(encoding="utf-8")
    for key in keys:
        name = f"{evil}:Evil" if key == "data" else "evil:Evil"
        text, count = re.subn(rf"^{key} = .*$", f'{key} = "{name}"', text, flags=re.MULTILINE)
        assert count == 1
    (run / "experiment.toml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, command.replace("RUN", str(run)).split())
    assert not marker.exists()
    assert "evil" not in sys.modules
    assert bool(done.exit_code) == bool(refused), done.exception
    if refused:
        assert re.search(rf"the {refused} '.*:Evil' is code that a file names", str(done.exception))
