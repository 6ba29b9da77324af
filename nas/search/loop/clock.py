"""The time that a search has taken, over all its drivers and resumes."""

import time
from math import inf

from nas.search.store.study import Study

BEAT_SECONDS = 5.0  # between two records of the time; a driver that is killed loses at most so much


class SearchClock:
    """Counts the time a driver works on a search, and records it in the study.

    limit: seconds, or None. is_new: whether the study holds no time yet, as in a run of an earlier version.
    """

    def __init__(self, study: Study) -> None:
        self._study, self.limit = study, study.experiment.time_limit
        recorded = study.seconds_used()
        self.is_new, self._recorded, self._since = recorded is None, recorded or 0.0, time.monotonic()

    def start(self) -> None:
        """Count from now on."""
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the time the search has taken."""
        return self._recorded + time.monotonic() - self._since

    @property
    def seconds_left(self) -> float:
        """Return the time until the limit, at least 0; infinity without a limit."""
        return inf if self.limit is None else max(0.0, self.limit - self.seconds)

    def beat(self, every: float = BEAT_SECONDS) -> None:
        """Record the time, unless that was done less than so many seconds ago. Raises RunError."""
        elapsed = time.monotonic() - self._since
        if elapsed >= every:
            self._recorded = self._study.add_seconds(elapsed)
            self._since += elapsed
