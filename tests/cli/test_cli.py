"""The command line as a user meets it: a process, its two streams, its exit code."""

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from nas.cli.app import EXAMPLES, app
from nas.errors import BudgetError
from nas.genome import from_json
from nas.search.sizes import parse_size
from nas.search.store.run_files import exclusive_lock

NAS = [sys.executable, "-m", "nas"]
Result = tuple[int, str, str]
Call = Callable[..., Result]
COMMANDS: Any = get_command(app)
VERBS = list(COMMANDS.list_commands(None))


def run(*arguments: object, **kwargs: object) -> subprocess.CompletedProcess[str]:
    command = [*NAS, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=500, **kwargs)  # type: ignore[call-overload,no-any-return]


def test_help_lists_the_verbs_in_the_order_of_use() -> None:
    done = run("--help")
    assert done.returncode == 0
    listed = [line.split()[1] for line in done.stdout.partition("Commands")[2].splitlines() if line.startswith("│ ")]
    assert [word for word in listed if word in VERBS] == VERBS == list(EXAMPLES)


def test_version(nas: Call) -> None:
    assert nas("--version") == (0, f"nas {version('nas-convnets')}\n", "")


IMPORTED = """
import sys, typer.rich_utils
packages = lambda: {{name.split(".")[0] for name in sys.modules}}
before = packages()
sys.argv = ["nas", *{arguments}]
from nas.cli import main
try:
    main()
except SystemExit:
    pass
print(packages() - before - set(sys.stdlib_module_names))
"""


def imported(*arguments: str) -> set[str]:
    """Return the packages that a verb imports besides typer's own."""
    code = IMPORTED.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages: set[str] = literal_eval(done.stdout.splitlines()[-1])
    return packages


def test_help_imports_nothing_but_ourselves() -> None:
    """The time that help takes is the time of its imports."""
    assert imported("--help") == {"nas"}


@pytest.mark.parametrize("arguments", [["cost", "resnet50"], ["show", "mixed"], ["show", "lenet5_paper", "--source"]])
def test_light_verbs_import_nothing_heavy(arguments: list[str]) -> None:
    assert not imported(*arguments) & {"torch", "optuna", "ray", "pandas", "plotly"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, nas: Call) -> None:
    code, out, _ = nas(verb, "--help")
    assert code == 0
    command = COMMANDS.commands[verb]
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"nas {verb}: {parameter.name} has no help"
    assert command.help.split(":")[0].split(",")[0][:30] in re.sub(r"\s+", " ", out)
    assert f"Example: {EXAMPLES[verb]}" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("verb", VERBS)
def test_every_example_is_a_command_that_exists(verb: str) -> None:
    program, name, *arguments = shlex.split(EXAMPLES[verb])
    assert (program, name) == ("nas", verb)
    COMMANDS.commands[verb].make_context(verb, arguments)  # parses, runs nothing


@pytest.mark.parametrize(
    ("verb", "old", "new"),
    [("doctor", "--mend", "--fix"), ("finalists", "--most=2", "--top=2"), ("proxies", "--most=9", "--networks=9")],
)
def test_former_options_are_read_and_not_shown(verb: str, old: str, new: str, nas: Call) -> None:
    command = COMMANDS.commands[verb]
    given = [command.make_context(verb, ["runs/any", option]).params for option in (old, new)]
    assert given[0] == given[1] != command.make_context(verb, ["runs/any"]).params
    assert old.partition("=")[0] not in nas(verb, "--help")[1]


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("resnet50_v1.5", 25_557_032, 4_089_184_256),
        ("vgg_D", 138_357_544, 15_470_264_320),
        ("densenet121", 7_978_856, 2_834_161_664),
    ],
)
def test_cost_of_the_classics(name: str, params: int, macs: int, nas: Call) -> None:
    code, out, _ = nas("cost", name, "--json")
    counts = json.loads(out)
    assert code == 0
    assert (counts["params"], counts["macs"], counts["flops"]) == (params, macs, 2 * macs)
    assert {"activations", "peak_bytes"} <= set(counts)


def test_cost_of_a_papers_network_is_beside_the_published_figures(nas: Call) -> None:
    _, out, _ = nas("cost", "mobilenet_v2")
    rows = [line.split(maxsplit=4) for line in out.partition("\n\n")[2].splitlines()]
    assert rows[1][:3] == ["3,504,872", "300,774,272", "counted"]
    assert rows[2][:4] == ["3.4", "M", "300", "M"]
    assert rows[3] == ["3,504,872", "0.301", "G", "torchvision"]
    counts = [{"source": "torchvision", "params": "61,100,840", "macs": "0.714 G", "remark": ""}]
    assert json.loads(nas("cost", "alexnet_torchvision", "--json")[1])["published_counts"] == counts
    listed = {row["name"]: row["published_counts"] for row in json.loads(nas("baselines", "--json")[1])}
    assert listed["alexnet_torchvision"] == counts
    assert listed["plain18"] == []
    assert "published" not in nas("cost", "plain18", "--json")[1]
    assert "counted here" not in nas("cost", "plain18")[1]


def test_show_gives_a_genome_that_cost_reads(tmp_path: Path, nas: Call) -> None:
    _, out, _ = nas("show", "dense", "--seed", 5, "--json")
    file = tmp_path / "genome.json"
    file.write_text(out, encoding="utf-8")
    assert from_json(out)
    _, drawn, _ = nas("cost", "dense", "--seed", 5, "--json")
    _, read, _ = nas("cost", file, "--json")
    assert json.loads(drawn) == json.loads(read)
    _, source, _ = nas("show", file, "--source")
    compile(source, "net.py", "exec")
    _, table, _ = nas("show", file, "--layers")
    assert "Conv(" in table


@pytest.mark.slow  # the README's own commands, which the quick tests run, go the same way
def test_from_search_to_network_and_report(tmp_path: Path) -> None:
    """What a user types, from the first command to the network in a process of its own."""
    path = tmp_path / "run"
    done = run("search", "quickstart", "--out", path, "--trials", 4, "--set", "recipe.epochs=1", "--max-params", "40k")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    status = json.loads(run("status", path, "--json").stdout)
    assert (status["complete"], status["running"], status["trials_total"]) == (4, 0, 4)
    assert status["best"]["params"] <= 40_000
    done = run("report", path)
    assert done.returncode == 0, done.stderr
    page = Path(done.stdout.splitlines()[-1])
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (path / "report" / "front.csv").is_file()
    done = run("export", path, "--out", tmp_path / "taken")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == tmp_path / "taken" / "net.py"
    names = {file.name for file in (tmp_path / "taken").iterdir()}
    assert names >= {"net.py", "weights.safetensors", "genome.json", "README.md"}
    assert f"{status['best']['params']:,}" in (tmp_path / "taken" / "README.md").read_text(encoding="utf-8")
    again = run("search", "quickstart", "--out", path, "--trials", 4, "--set", "recipe.epochs=1", "--max-params", "40k")
    assert again.returncode == 0
    assert json.loads(run("status", path, "--json").stdout)["complete"] == 4


def genome(**node: object) -> str:
    row = {"name": "x", "op": "Conv", "inputs": ["image"], "width": 8, "kernel": 3} | node
    image = {"name": "image", "op": "Input", "extents": [3, 8, 8]}
    return json.dumps({"format": "nas-genome/1", "nodes": [image, row], "outputs": ["x"]})


HUGE = [{"name": "image", "op": "Input", "extents": [60_000, 8, 8]}] + [
    {"name": f"x{i}", "op": "Conv", "inputs": [f"x{i - 1}" if i else "image"], "width": 60_000, "kernel": 15}
    for i in range(4)
]

BAD_GENOMES = {
    "not json": ("{", "line 1"),
    "wrong type": (genome(width="eight"), "nodes[1]"),
    "negative": (genome(width=-1), "width"),
    "unknown op": (genome(op="Magic"), "Magic"),
    "unknown field": (genome(color=1), "color"),
    "unknown input": (genome(inputs=["nobody"]), "nobody"),
    "itself as input": (genome(inputs=["x"]), "'x'"),
    "10^12 parameters": (json.dumps({"format": "nas-genome/1", "nodes": HUGE, "outputs": ["x3"]}), "parameters"),
}


@pytest.mark.parametrize("case", BAD_GENOMES)
def test_bad_genome_files(case: str, tmp_path: Path, nas: Call) -> None:
    text, says = BAD_GENOMES[case]
    file = tmp_path / "genome.json"
    file.write_text(text, encoding="utf-8")
    refused(nas("cost", file), says, str(file))


BAD_CALLS = {
    "no such network": (["cost", "resnet5O"], ["resnet5O"]),
    "no such genome file": (["cost", "none.json"], ["none.json"]),
    "no such experiment": (["search", "none.toml"], ["none.toml", "quickstart"]),
    "unknown key": (["search", "quickstart", "--set", "trails=3"], ["trails", "trials"]),
    "wrong type": (["search", "quickstart", "--set", "trials=many"], ["trials"]),
    "no key": (["search", "quickstart", "--set", "trials"], ["KEY=VALUE"]),
    "unknown space": (["search", "quickstart", "--set", "space=mixd"], ["mixd", "mixed"]),
    "unknown data": (["search", "quickstart", "--set", "data=imagenet"], ["imagenet", "digits"]),
    "unmet budget": (["search", "quickstart", "--max-params", "10"], ["params", "at most 10 asked", "found"]),
    "no size": (["search", "quickstart", "--max-params", "5q"], ["5q", "50k"]),
    "negative size": (["search", "quickstart", "--max-macs", "-5"], ["-5"]),
    "no run": (["resume", "nowhere"], ["nowhere", "study.db"]),
    "no run to report": (["report", "nowhere"], ["nowhere"]),
    "no run to export": (["export", "nowhere"], ["nowhere"]),
    "no run to look at": (["status", "nowhere"], ["nowhere"]),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls_leave_nothing_behind(case: str, tmp_path: Path, nas: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, says = BAD_CALLS[case]
    result = nas(*arguments)
    for text in says:
        refused(result, text)
    assert list(tmp_path.iterdir()) == []


def refused(result: Result, *says: str) -> None:
    code, out, err = result
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    if err.startswith("nas: "):
        assert err.count("\n") == 1
    else:
        assert err.startswith("Usage: nas ")
    for text in says:
        assert text in err


def test_unknown_trial(finished_run: Path, nas: Call) -> None:
    refused(nas("export", finished_run, "--trial", "99"), "no trial '99'", "there are 8")
    refused(nas("cost", f"{finished_run}:99"), "no trial '99'")


def test_a_trial_is_a_network(finished_run: Path, nas: Call) -> None:
    code, out, _ = nas("cost", f"{finished_run}:best", "--json")
    assert code == 0
    assert json.loads(out)["params"] <= 50_000


def test_damaged_runs(tmp_path: Path, nas: Call) -> None:
    (tmp_path / "study.db").write_bytes(b"not a database at all" * 100)
    refused(nas("status", tmp_path), "experiment.toml")
    (tmp_path / "experiment.toml").write_text('space = "mixed"\ndata = "digits"\n')
    refused(nas("status", tmp_path), "study.db")


def test_dry_run_writes_nothing(tmp_path: Path, nas: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = nas("search", "quickstart", "--dry-run")
    assert (code, out) == (0, "")
    assert "are within the budget" in err
    assert list(tmp_path.iterdir()) == []


def test_spaces(nas: Call) -> None:
    _, out, _ = nas("spaces", "--json")
    known = {"plain", "residual", "dense", "mixed", "mobile", "regnet", "shuffle"}
    assert known <= {row["name"] for row in json.loads(out)}


def test_primitives(nas: Call) -> None:
    _, out, _ = nas("primitives")
    assert "BasicBlock(width, stride=1, shortcut='B', order='post', dropout=0.0)\n    Two 3x3 convolutions" in out
    _, out, _ = nas("primitives", "FcHead")
    assert out.startswith("FcHead(classes, hidden=(4096, 4096),")
    assert "`dropout_first` drops" in out
    assert "\ngrid: int | None, default None, 1 to 256\n    rows and columns to which" in out
    assert "\nactivation: str, default 'relu', one of 'relu', 'relu6', " in out
    _, out, _ = nas("primitives", "Conv", "--json")
    (row,) = json.loads(out)
    assert [each["name"] for each in row["hyperparameters"][:3]] == ["width", "kernel", "stride"]
    assert row["hyperparameters"][1] == {
        "name": "kernel", "meaning": "side of the kernel in pixels; a pair is (rows, columns)",
        "type": "int | tuple[int, int]", "required": True, "default": None, "min": 1, "max": 64, "choices": None,
    }  # fmt: skip
    code, _, said = nas("primitives", "BasicBlok")
    assert (code, said) == (2, "nas: no primitive 'BasicBlok'; did you mean 'BasicBlock'?\n")


def test_near_names_are_offered(nas: Call) -> None:
    assert "did you mean the search space 'mixed'?" in nas("cost", "mixd")[2]
    assert "did you mean 'quickstart'?" in nas("search", "quikstart")[2]
    assert nas("export", "runs/none")[2] == "nas: no file or directory 'runs/none'\n"


def test_status_tells_an_interrupted_run(finished_run: Path, tmp_path: Path, nas: Call) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert "no process" not in nas("status", run)[1]
    with closing(sqlite3.connect(run / "study.db")) as database, database:
        database.execute("UPDATE trials SET state = 'RUNNING' WHERE number = 7")
    assert nas("status", run)[1].startswith(
        f"7 of 8 complete, 1 interrupted, 0 failed\n"
        f"no process is running this search; continue with: nas resume {run}\n"
    )
    with exclusive_lock(run):
        assert nas("status", run)[1].startswith("7 of 8 complete, 1 running, 0 failed\nbest")


def test_a_report_is_named_on_stdout_last(finished_run: Path, tmp_path: Path, nas: Call) -> None:
    """Scripts read the path; the words about it go to stderr, as those of `nas principles` do."""
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    code, out, err = nas("report", run)
    assert (code, out) == (0, f"{run / 'report' / 'index.html'}\n")
    assert err == "Report, to open in a browser:\n"


@pytest.mark.slow
def test_a_search_in_which_nothing_succeeds_says_so(tmp_path: Path, nas: Call) -> None:
    settings = ["--trials", 2, "--set", "timeout=0.01", "--out", tmp_path / "run"]
    code, _, said = nas("search", "quickstart", *settings)
    assert code == 2
    assert "complete: all 2 failed, the last with: timeout" in said
    assert "Done" not in said


@pytest.mark.parametrize(
    ("text", "expected"), [("50000", 50_000), ("4.1M", 4_100_000), ("2.01k", 2_010), ("16.4m", 16_400_000)]
)
def test_a_size_is_read_to_the_unit(text: str, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["", "k", "0", "-3", "1.5", "1.0001k", "nan", "inf", "1e30", "1e999999999", "50kk"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BudgetError, match="is not a size"):
        parse_size(text)


def test_a_file_that_cannot_be_written_is_a_message(nas: Call, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, said = nas("show", "lenet5_paper", "--svg", tmp_path / "file" / "x.svg")
    assert (code, said.count("\n")) == (2, 1)
    assert f"File exists: {tmp_path / 'file'}" in said
