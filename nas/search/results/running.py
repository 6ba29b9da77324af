"""A run while a search works on it: whether it goes on, and how far each running trial is."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nas.search.durations import format_duration
from nas.search.store.run import Run, load_run
from nas.search.store.run_files import is_locked
from nas.search.store.running_trials import RunningTrial
from nas.search.trial import TrialRecord


@dataclass(frozen=True)
class LiveRun:
    """A run as it is now. active: whether a driver works on it; None where that is not known."""

    run: Run
    active: bool | None

    @property
    def ended(self) -> int:
        """The number of trials of the search that do not run any more, whatever became of them."""
        return sum(record.state != "running" for record in self.run.records)

    @property
    def searching(self) -> bool:
        """Whether trials may still be added to the run."""
        return is_searching(self.active, self.ended, self.run.experiment.trials)


def read_live_run(path: Path, space: str | None = None) -> LiveRun:
    """Return a run as it is now. Raises as `load_run`, which also describes `space`."""
    locked = is_locked(path)  # first: what a driver that ends meanwhile has written is read after it
    run = load_run(path, space=space)
    return LiveRun(run, None if run.experiment.storage else locked)  # the lock is this machine's, a server anyone's


def is_searching(active: bool | None, ended: int, total: int) -> bool:
    """Return whether a search goes on; where no driver can be seen, it does until all its trials have ended."""
    return ended < total if active is None else active


class TrialProgress(NamedTuple):
    """A running trial.

    epoch: the last complete one, 0 before. epochs: of a whole training. seconds: since it began, None where that is not
    known. seconds_left: expected, at the pace so far and without stopping early; None before the first epoch.
    """

    trial: int
    epoch: int
    epochs: int
    seconds: float | None
    seconds_left: float | None

    @classmethod
    def of(cls, record: TrialRecord, epochs: int, begun: float | None) -> "TrialProgress":
        """Return how far a trial is that this process has trained so far. begun: as of `time.time`."""
        epoch, seconds = (record.scores[-1].epoch, record.scores[-1].seconds) if record.scores else (0, 0.0)
        return cls._at(record.number, epochs, RunningTrial(epoch, seconds, begun) if begun is not None else None)

    @classmethod
    def read(cls, record: TrialRecord, epochs: int, running: dict[int, RunningTrial]) -> "TrialProgress":
        """Return how far a trial is, as its driver wrote it."""
        return cls._at(record.number, epochs, running.get(record.number))

    @classmethod
    def _at(cls, number: int, epochs: int, trial: RunningTrial | None) -> "TrialProgress":
        if trial is None:
            return cls(number, 0, epochs, None, None)
        elapsed = max(time.time() - trial.begun, trial.seconds)
        left = max(trial.seconds / trial.epoch * epochs - elapsed, 0.0) if trial.epoch else None
        return cls(number, trial.epoch, epochs, elapsed, left)

    @property
    def elapsed(self) -> str:
        """Return the time so far, or "-" where it is not known."""
        return "-" if self.seconds is None else format_duration(self.seconds)

    @property
    def eta(self) -> str:
        """Return the time left, or "-" while it is unknown."""
        return "-" if self.seconds_left is None else format_duration(self.seconds_left)
