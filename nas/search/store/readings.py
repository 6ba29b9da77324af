"""Record of every reading of the test split in a run, so that a second reading is known as one."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from nas.errors import RunError
from nas.files import atomic_write
from nas.search.store.rows import STRICT, Number, Share, Words, read_rows

FILE = "test_readings.json"


@dataclass(frozen=True)
class SplitReading:
    """One reading of the test split. verb: the command that read it. date: local, ISO 8601. error: a fraction."""

    __pydantic_config__ = STRICT

    trial: Number
    verb: Words
    date: Words
    error: Share


def load_readings(path: Path, trial: int | None = None) -> tuple[SplitReading, ...]:
    """Return the readings of a run, of one trial if given, in order. Raises RunError when the file is damaged."""
    file = path / FILE
    try:
        found = read_rows(file, SplitReading)
    except ValueError as problem:
        raise RunError(f"{file} is damaged ({problem}); remove it, and readings so far are forgotten") from None
    return tuple([reading for reading in found if trial in (None, reading.trial)])


def record_reading(path: Path, trial: int, verb: str, error: float) -> None:
    """Add a reading made now. Raises RunError or OSError."""
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    readings = [*load_readings(path), SplitReading(trial, verb, date, error)]
    atomic_write(path / FILE, json.dumps([asdict(reading) for reading in readings], indent=1) + "\n")
