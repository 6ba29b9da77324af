"""How far running trials are: the epoch, the time so far and the time left."""

from typing import NamedTuple

from nas.search.durations import format_duration
from nas.search.trial import TrialRecord


class TrialProgress(NamedTuple):
    """A running trial as of its last complete epoch.

    epoch: the last complete one, 0 before. epochs: of a whole training. seconds: taken up to that epoch.
    seconds_left: expected, at the pace so far and without stopping early; None before the first epoch.
    """

    trial: int
    epoch: int
    epochs: int
    seconds: float
    seconds_left: float | None

    @classmethod
    def of(cls, record: TrialRecord, epochs: int) -> "TrialProgress":
        """Return how far a trial is."""
        if not record.scores:
            return cls(record.number, 0, epochs, 0.0, None)
        last = record.scores[-1]
        left = last.seconds / last.epoch * max(epochs - last.epoch, 0) if last.epoch else None
        return cls(record.number, last.epoch, epochs, last.seconds, left)

    @property
    def elapsed(self) -> str:
        """Return the time so far, or "-" before the first epoch."""
        return format_duration(self.seconds) if self.epoch else "-"

    @property
    def eta(self) -> str:
        """Return the time left, or "-" while it is unknown."""
        return "-" if self.seconds_left is None else format_duration(self.seconds_left)
