"""`nas status` on running trials, and `--watch`."""

from dataclasses import replace
from typing import Any

import pytest

from nas.cli import searches
from nas.genome.baselines import baseline
from nas.search.results.running import TrialProgress
from nas.search.trial import TrialRecord
from nas.training.score import Score

FACTS: dict[str, Any] = {
    "run": "runs/x", "trials_total": 3, "complete": 1, "failed": 0, "running": 1, "pruned": 0, "active": True,
    "seconds_used": None, "time_limit": None, "failures": {}, "proposals": {}, "foreign": 0, "refusals": [],
    "best": None, "running_trials": [TrialProgress(1, 2, 8, 20.0, 60.0)._asdict()],
}  # fmt: skip


def test_the_time_left_is_that_of_the_epochs_left_at_the_pace_so_far() -> None:
    record = TrialRecord.of(baseline("lenet5_paper"), 0, 4)
    assert TrialProgress.of(record, 8) == (4, 0, 8, 0.0, None)
    assert TrialProgress.of(record, 8).eta == "-"
    scores = tuple(Score(epoch, 0.5, 1.0, 10.0 * epoch, 1.0) for epoch in (1, 2))
    progress = TrialProgress.of(replace(record, scores=scores), 8)
    assert progress == TrialProgress(4, 2, 8, 20.0, 60.0)
    assert (progress.elapsed, progress.eta) == ("20s", "1m")


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
