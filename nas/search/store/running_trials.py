"""How far the running trials of a driver are: RUN/running.json, which others read while it works."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

from nas.files import atomic_write, read_text
from nas.search.trial import TrialRecord

WRITE_SECONDS = 1.0  # between two writings
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class RunningTrial:
    """A trial in training. epoch: the last complete one. seconds: taken up to it. begun: as of `time.time`."""

    epoch: int
    seconds: float
    begun: float


class RunningTrials:
    """The running trials of one driver. A file that cannot be written is left as it is: it is for show only."""

    def __init__(self, path: Path) -> None:
        self._file, self._written, self._text = path / "running.json", 0.0, ""
        self._begun: dict[int, float] = {}

    def update(self, records: Mapping[int, TrialRecord]) -> None:
        """Write how far these are, unless that was done less than WRITE_SECONDS ago."""
        now = time.time()
        self._begun = {number: self._begun.get(number, now) for number in records}
        if abs(now - self._written) < WRITE_SECONDS:
            return
        rows = {
            number: RunningTrial(record.scores[-1].epoch if record.scores else 0, record.seconds, self._begun[number])
            for number, record in records.items()
        }
        text = json.dumps({number: asdict(row) for number, row in rows.items()})
        self._written = now
        if text != self._text:
            with suppress(OSError):
                atomic_write(self._file, text)
                self._text = text

    def clear(self) -> None:
        """Remove the file: nothing runs any more."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def read_running_trials(path: Path) -> dict[int, RunningTrial]:
    """Return the running trials of a run's driver by number; empty where the file is missing or damaged."""
    file = path / "running.json"
    try:
        if file.stat().st_size > MAX_BYTES:
            return {}
        rows = {int(number): RunningTrial(**row) for number, row in json.loads(read_text(file)).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {number: row for number, row in rows.items() if _is_sound(row)}


def _is_sound(row: RunningTrial) -> bool:
    numbers = (row.epoch, row.seconds, row.begun)
    return type(row.epoch) is int and all(type(n) in (int, float) and isfinite(n) and n >= 0 for n in numbers)
