"""`--start`: a search from an earlier run, from the first command to the report."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from nas.cli import main


def call(*arguments: object) -> int | str | None:
    sys.argv = ["nas", *map(str, arguments)]
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with the earlier run in runs/old."""
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished_run, "runs/old")


def test_a_search_starts_from_a_run_that_is_gone_later(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "recipe.epochs=1", "--set", "baselines=[]", "--sampler", "tpe", "--max-macs", "400k"]
    search = ["search", "quickstart", *settings, "--trials", "1", "--start", "runs/old", "--out", "runs/new"]
    assert call(*search, "--dry-run") == 0
    assert "started from: runs/old (8 trials)" in capsys.readouterr().err
    assert call(*search) == 0
    shutil.rmtree("runs/old")
    assert call(*search) == 0
    assert call("resume", "runs/new", "--trials", "2") == 0
    assert capsys.readouterr().err.count("started from: runs/old (8 trials)") == 3
    assert call("status", "runs/new", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["started_from"], facts["complete"]) == ({"runs/old": 8}, 2)
    assert call("status", "runs/new") == 0
    assert "started from: runs/old (8 trials)\n" in capsys.readouterr().out
    assert call("report", "runs/new") == 0
    assert "runs/old (8 trials)" in Path("runs/new/report/index.html").read_text(encoding="utf-8")
    assert 'start = [\n    "runs/old",\n]' in Path("runs/new/experiment.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", [["search", "--dry-run"], ["search"], ["tune"]])
def test_what_is_not_a_run_is_refused(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(verb[0], "quickstart", *verb[1:], "--start", "runs/odl", "--start", "runs/old") == 2
    err = capsys.readouterr().err
    assert "start: runs/odl is not a run directory: it has no study.db; did you mean 'runs/old'?" in err
    assert [path.name for path in Path("runs").iterdir()] == ["old"]
