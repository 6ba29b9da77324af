"""Record of every reading of the test split in a run, so that a second reading is known as one."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from nas.errors import RunError
from nas.files import atomic_write, read_text

FILE = "test_readings.json"


@dataclass(frozen=True)
class SplitReading:
    """One reading of the test split. verb: the command that read it. date: local, ISO 8601. error: a fraction."""

    trial: int
    verb: str
    date: str
    error: float


def load_readings(path: Path, trial: int | None = None) -> tuple[SplitReading, ...]:
    """Return the readings of a run, of one trial if given, in order. Raises RunError when the file is damaged."""
    file = path / FILE
    if not file.is_file():
        return ()
    try:
        found = tuple([SplitReading(**row) for row in json.loads(read_text(file))])
    except (ValueError, TypeError) as problem:
        raise RunError(f"{file} is damaged ({problem!s:.100}); remove it, and readings so far are forgotten") from None
    return tuple([reading for reading in found if trial in (None, reading.trial)])


def record_reading(path: Path, trial: int, verb: str, error: float) -> None:
    """Add a reading made now. Raises RunError or OSError."""
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    readings = [*load_readings(path), SplitReading(trial, verb, date, error)]
    atomic_write(path / FILE, json.dumps([asdict(reading) for reading in readings], indent=1) + "\n")
