"""The short form of benchmarks/chaos.py."""

import runpy
from pathlib import Path

import pytest

CHAOS = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "chaos.py"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_drivers_and_workers_are_killed_at_random(tmp_path: Path) -> None:
    tally = CHAOS["chaos"](tmp_path, rounds=2, seed=4)
    assert tally.drivers + tally.workers >= 1
    assert (tally.trials, tally.baselines) == (20, 1)
    assert 2 <= tally.retrained <= 4  # which of the first round's two are among the last two depends on the kills
    assert tally.stopped > 0
