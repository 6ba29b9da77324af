"""How far running trials are: the epoch, the time so far and the time left."""

import time
from typing import NamedTuple

from nas.search.durations import format_duration
from nas.search.store.running_trials import RunningTrial
from nas.search.trial import TrialRecord


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
