"""`nas status` on running trials, and `--watch`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.cli import searches
from nas.genome.baselines import baseline
from nas.search.results.running import TrialProgress
from nas.search.store.running_trials import RunningTrial, RunningTrials, read_running_trials
from nas.search.trial import TrialRecord
from nas.training.score import Score

FACTS: dict[str, Any] = {
    "run": "runs/x", "trials_total": 3, "complete": 1, "failed": 0, "running": 1, "pruned": 0, "active": True,
    "seconds_used": None, "time_limit": None, "failures": {}, "proposals": {}, "started_from": {}, "foreign": 0,
    "refusals": [], "best": None, "running_trials": [TrialProgress(1, 2, 8, 20.0, 60.0)._asdict()],
}  # fmt: skip


def test_the_time_left_is_that_of_the_epochs_left_at_the_pace_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1025.0)
    record = TrialRecord.of(baseline("lenet5_paper"), 0, 4)
    assert TrialProgress.of(record, 8, None) == (4, 0, 8, None, None)
    assert TrialProgress.of(record, 8, 1000.0) == (4, 0, 8, 25.0, None)
    scores = tuple(Score(epoch, 0.5, 1.0, 10.0 * epoch, 1.0) for epoch in (1, 2))
    progress = TrialProgress.of(replace(record, scores=scores), 8, 1000.0)
    assert progress == TrialProgress(4, 2, 8, 25.0, 55.0)
    assert (progress.elapsed, progress.eta) == ("25s", "55s")


def test_others_read_how_far_running_trials_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    record, shown = TrialRecord.of(baseline("lenet5_paper"), 0, 4), RunningTrials(tmp_path)
    shown.update({4: record})
    assert read_running_trials(tmp_path) == {4: RunningTrial(0, 0.0, 1000.0)}
    scored = replace(record, scores=(Score(1, 0.5, 1.0, 10.0, 1.0),), seconds=10.0)
    for later, epoch in ((0.5, 0), (11.0, 1)):  # not more often than once a second
        now[0] = 1000.0 + later
        shown.update({4: scored})
        assert read_running_trials(tmp_path)[4].epoch == epoch
    assert TrialProgress.read(record, 8, read_running_trials(tmp_path)) == (4, 1, 8, 11.0, 69.0)
    shown.clear()
    assert read_running_trials(tmp_path) == {}
    assert TrialProgress.read(record, 8, {}) == (4, 0, 8, None, None)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": {}}', '{"4": 3}', '{"4": {"epoch": NaN, "seconds": 1, "begun": 1}}', "9" * 5000,
             '{"4": {"epoch": 1, "seconds": -1, "begun": 1}}', '{"4": {"epoch": 1, "seconds": "x", "begun": 1}}']
)  # fmt: skip
def test_a_damaged_file_of_running_trials_is_passed_over(text: str, tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text(text, encoding="utf-8")
    assert read_running_trials(tmp_path) == {}


def test_watch_prints_what_has_changed_and_ends_with_the_search(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(searches, "WATCH_SECONDS", 0)
    ended = {**FACTS, "active": False, "complete": 3, "running": 0, "running_trials": []}
    states = iter([FACTS, FACTS, ended])
    searches.watch_status(lambda: next(states))
    assert capsys.readouterr().out.splitlines() == [
        "1 of 3 complete, 1 running, 0 failed",
        "trial 1: epoch 2 of 8, elapsed 20s, ETA 1m",
        "3 of 3 complete, 0 running, 0 failed",
    ]


def test_ctrl_c_ends_watch_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    searches.watch_status(lambda: FACTS)
    assert capsys.readouterr().err == ""
