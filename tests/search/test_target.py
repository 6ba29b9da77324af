"""The board of an experiment: what it sets, what is refused, and what a run keeps of it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import nas
from nas.cli.app import app
from nas.device.boards import find_board, read_boards
from nas.errors import ExperimentError, RunError
from nas.search.experiment_file import load_experiment, read_experiment, to_toml
from nas.search.store.create import create

BOARD = """[lamp]
title = "A lamp"
ram = 40_000
flash = 100_000
runtime = "tflite-micro"
provider = "vela"
accelerator = "ethos-u55-256"
"""
EXPERIMENT = 'space = "mixed"\ndata = "digits"\ntarget = "boards.toml:lamp"\n[budget]\nmacs.max = "1M"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "boards.toml").write_text(BOARD, encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    return path


def test_a_board_sets_limits_and_how_latency_is_known(file: Path) -> None:
    found = load_experiment(str(file))
    assert found.budget.as_dict() == {"macs": {"max": 10**6}, "ram": {"max": 40_000}, "flash": {"max": 100_000}}
    assert found.latency is not None
    assert (found.latency.provider, found.latency.accelerator) == ("vela", "ethos-u55-256")
    assert found.latency.file == "tflite"
    assert found.target == find_board("boards.toml:lamp", file.parent)


def test_what_an_experiment_says_itself_stays(file: Path) -> None:
    changes = {"budget.ram.max": "32KB", "budget.flash.min": 5_000, "latency.provider": "this-machine"}
    found = load_experiment(str(file), changes)
    assert found.budget["ram"].as_dict() == {"max": 32_768}
    assert found.budget["flash"].as_dict() == {"min": 5_000, "max": 100_000}
    assert found.latency is not None
    assert found.latency.provider == "this-machine"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("boards.toml:lamp", "cortex-m4-46k", r"line 3: no board 'cortex-m4-46k'; did you mean 'cortex-m4-64k'"),
        ("boards.toml:lamp", "boards.toml:lmap", r"line 3: no board 'lmap' in .*; did you mean 'lamp'"),
        ("boards.toml:lamp", "none.toml:lamp", "line 3: .*none.toml: No such file"),
        ("macs.max", 'ram.max = "64KB"\nmacs.max', r"line 5: `budget.ram.max` \(=65,536\) is above the 40,000 bytes"),
        ("macs.max", "flash.min = 100_001\nmacs.max", r"line 5: `budget.flash.min` \(=100,001\) is above the 100,000"),
        ("target =", "board =", "line 3: unknown key 'board'; did you mean 'target'"),
        ('"boards.toml:lamp"', "64", "line 3: `target`: "),
        ('"boards.toml:lamp"', '{ name = "x", clock = 3 }', r"line 3: unknown key 'clock' in \[target\]; known: name"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, says: str, file: Path) -> None:
    file.write_text(EXPERIMENT.replace(old, new), encoding="utf-8")
    with pytest.raises(ExperimentError, match=says):
        load_experiment(str(file))


def test_a_run_means_the_same_board_when_the_file_changes(file: Path, tmp_path: Path) -> None:
    asked = load_experiment(str(file))
    create(tmp_path / "run", asked, "nas search").close()
    (tmp_path / "boards.toml").write_text(BOARD.replace("40_000", "20_000"), encoding="utf-8")
    kept = read_experiment(tmp_path / "run" / "experiment.toml")
    assert kept == asked
    with pytest.raises(RunError, match=r"budget.ram.max was 40000, is now 20000"):
        create(tmp_path / "run", load_experiment(str(file)), "nas search")
    (tmp_path / "boards.toml").write_text(BOARD.replace("A lamp", "A lantern"), encoding="utf-8")
    with closing(create(tmp_path / "run", load_experiment(str(file)), "nas search")) as study:
        assert study.experiment.target is not None
        assert study.experiment.target.title == "A lantern"


def test_a_board_in_the_experiment_itself(file: Path) -> None:
    file.write_text(EXPERIMENT.replace('target = "boards.toml:lamp"\n', "") + BOARD.replace(
        "[lamp]", '[target]\nname = "lamp"'), encoding="utf-8")  # fmt: skip
    found = load_experiment(str(file))
    assert found.budget["ram"].max == 40_000
    file.write_text(to_toml(found), encoding="utf-8")
    assert read_experiment(file) == found


def test_from_python(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    found = nas.Experiment(space="mixed", data="digits", target="boards.toml:lamp", budget={"ram": {"min": 1_000}})
    assert found.budget["ram"].as_dict() == {"min": 1_000, "max": 40_000}
    assert nas.Experiment(space="mixed", data="digits", target=found.target).target == found.target


def test_the_option_lists_all_boards() -> None:
    commands: Any = get_command(app)
    for verb in ("search", "cost"):
        option = next(each for each in commands.commands[verb].params if each.name == "target")
        assert ", ".join(read_boards()) in option.help


def test_on_the_command_line(nas: Callable[..., Any]) -> None:
    code, _, err = nas("search", "quickstart", "--target", "cortex-m4-64", "--dry-run")
    assert code == 2
    assert "--target: no board 'cortex-m4-64'; did you mean 'cortex-m4-64k'" in err
    code, _, err = nas("search", "quickstart", "--target", "cortex-m4-64k", "--max-ram", "80KB", "--dry-run")
    assert code == 2
    assert "--max-ram: `budget.ram.max` (=81,920) is above the 65,536 bytes of the board cortex-m4-64k" in err
