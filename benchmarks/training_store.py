"""Finished trainings in a SQLite file: each is there whole or not at all, and none twice."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

CREATE = """
CREATE TABLE IF NOT EXISTS trainings (
    settings TEXT, fingerprint TEXT, seed INTEGER, errors TEXT, test_error REAL, seconds REAL, torch TEXT,
    PRIMARY KEY (settings, fingerprint, seed)
)
"""
TrainingKey = tuple[str, int]
"""A network's fingerprint and a seed."""


@dataclass(frozen=True)
class Training:
    """One training of a network.

    errors: shares of the validation images that are misclassified, after each epoch; fewer where the loss diverged, and
    then test_error is None. seconds: of wall time, with validation. torch: its version.
    """

    fingerprint: str
    seed: int
    errors: tuple[float, ...]
    test_error: float | None
    seconds: float
    torch: str


class TrainingStore:
    """The trainings of some settings in a file, which may hold those of others. settings: all that decides a result."""

    def __init__(self, path: Path, settings: str) -> None:
        self.path, self.settings = path, settings
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as connection:
            connection.execute(CREATE)

    def load(self) -> dict[TrainingKey, Training]:
        """Return the finished trainings."""
        query = "SELECT fingerprint, seed, errors, test_error, seconds, torch FROM trainings WHERE settings = ?"
        with self._connected() as connection:
            rows = connection.execute(query, (self.settings,)).fetchall()
        trainings = [Training(name, seed, tuple(json.loads(errors)), *rest) for name, seed, errors, *rest in rows]
        return {(each.fingerprint, each.seed): each for each in trainings}

    def add(self, each: Training) -> None:
        """Record a training. Raises sqlite3.IntegrityError for one that is there already."""
        row = (self.settings, each.fingerprint, each.seed, json.dumps(each.errors), each.test_error, each.seconds)
        with self._connected() as connection:
            connection.execute("INSERT INTO trainings VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, each.torch))

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Open the file; commit when the block ends well."""
        with closing(sqlite3.connect(self.path, timeout=60)) as connection, connection:
            yield connection
