"""nas doctor, and where a search is sent, as a user types them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nas.cli.options import choose_executor

Call = Callable[..., tuple[int, str, str]]


def test_findings_are_told_then_fixed(finished_run: Path, tmp_path: Path, nas: Call) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    stray = run / "trials" / "000777"
    stray.mkdir()
    code, out, _ = nas("doctor", run)
    assert (code, "000777\n  --fix would: remove them" in out) == (1, True)
    assert stray.is_dir()
    code, out, _ = nas("doctor", run, "--fix")
    assert (code, "fixed: remove them" in out) == (0, True)
    assert nas("doctor", run) == (0, "", f"{run} is consistent\n")


def test_no_run_to_examine(tmp_path: Path, nas: Call) -> None:
    code, _, err = nas("doctor", tmp_path / "nowhere")
    assert (code, "nowhere is not a run directory" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_executor_is_named(tmp_path: Path, nas: Call) -> None:
    code, _, err = nas("search", "quickstart", "--executor", "slurm", "--out", tmp_path / "run")
    assert (code, "`executor`: no executor 'slurm'. There are: local, ray" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_an_address_means_ray_and_is_told_to_ray_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("RAY_ADDRESS", "")
    assert choose_executor(None, None) is None
    assert choose_executor("local", None) == "local"
    assert os.environ["RAY_ADDRESS"] == ""
    assert choose_executor(None, "head:6379") == "ray"
    assert os.environ["RAY_ADDRESS"] == "head:6379"
