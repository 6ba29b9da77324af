"""nas doctor, and where a search is sent, as a user types them."""

import shutil
import sys
from pathlib import Path

import pytest

from nas.cli import main
from nas.cli.options import choose_executor


def nas(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["nas", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code if isinstance(ended.value.code, int) else 0


def test_findings_are_told_then_fixed(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    stray = run / "trials" / "000777"
    stray.mkdir()
    assert nas(monkeypatch, "doctor", run) == 1
    assert "000777\n  --fix would: remove them" in capsys.readouterr().out
    assert stray.is_dir()
    assert nas(monkeypatch, "doctor", run, "--fix") == 0
    assert "fixed: remove them" in capsys.readouterr().out
    assert nas(monkeypatch, "doctor", run) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{run} is consistent\n")


def test_no_run_to_examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert nas(monkeypatch, "doctor", tmp_path / "nowhere") == 2
    assert "nowhere is not a run directory" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_executor_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nas(monkeypatch, "search", "quickstart", "--executor", "slurm", "--out", tmp_path / "run") == 2
    assert "`executor`: no executor 'slurm'. There are: local, ray" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_address_means_ray_and_is_told_to_ray_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("RAY_ADDRESS", "")
    assert choose_executor(None, None) is None
    assert choose_executor("local", None) == "local"
    assert os.environ["RAY_ADDRESS"] == ""
    assert choose_executor(None, "head:6379") == "ray"
    assert os.environ["RAY_ADDRESS"] == "head:6379"
