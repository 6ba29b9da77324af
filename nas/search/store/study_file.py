"""A study in a SQLite file, read by plain SQL: quick, without Optuna, and also where nothing can be written."""

import json
import os
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nas.errors import RunError
from nas.genome.trial import Choice
from nas.search.distributions import Distribution, OneOf, from_optuna_json
from nas.search.ranges import IntRange
from nas.search.store.run_files import not_a_run
from nas.search.store.stored_trial import StoredTrial
from nas.search.trial import Attributes

LOCKED_SECONDS = 60  # a writer waits for another; SQLite's own 5 s loses trials
NAME = "search"  # of the study in a file; on a server it is the experiment's
MAX_COPIES = 5  # of a study that is written while it is copied
CANNOT_WRITE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN}


class StudyFile:
    """The study of a file that is open for reading, as of now. Raises RunError, or what SQLite or JSON raise."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._study = study_of(database)[0]

    def facts(self) -> Attributes:
        """Return what the study was made with."""
        query = "SELECT key, value_json FROM study_user_attributes WHERE study_id = ?"
        return {key: json.loads(value) for key, value in self._database.execute(query, (self._study,))}

    def trials(self) -> list[StoredTrial]:
        """Return the trials, in order of their numbers."""
        attributes = self._attributes()
        choices, distributions = defaultdict[int, Any](dict), defaultdict[int, Any](dict)
        query = "SELECT p.trial_id, param_name, param_value, distribution_json FROM trial_params p JOIN trials t"
        query += " ON p.trial_id = t.trial_id WHERE t.study_id = ? ORDER BY param_id"
        for trial, name, value, text in self._database.execute(query, (self._study,)):
            distributions[trial][name] = distribution = from_optuna_json(text)
            choices[trial][name] = _choice(distribution, value)
        query = "SELECT trial_id, number, state FROM trials WHERE study_id = ? ORDER BY number, trial_id"
        return [
            StoredTrial(number, str(state), attributes[trial], choices[trial], distributions[trial])
            for trial, number, state in self._database.execute(query, (self._study,))
        ]

    def _attributes(self) -> defaultdict[int, Attributes]:
        found = defaultdict[int, Attributes](dict)
        query = "SELECT a.trial_id, key, value_json FROM trial_user_attributes a JOIN trials t"
        query += " ON a.trial_id = t.trial_id WHERE t.study_id = ?"
        for trial, key, value in self._database.execute(query, (self._study,)):
            found[trial][key] = json.loads(value)
        return found


def study_of(database: sqlite3.Connection) -> tuple[int, str]:
    """Return the number and the name of a file's study: ours by name, or the only one. Raises RunError."""
    studies = database.execute("SELECT study_id, study_name FROM studies ORDER BY study_id LIMIT 10").fetchall()
    ours = [study for study in studies if study[1] == NAME] or studies
    if len(ours) != 1:
        names = ", ".join(repr(name) for _, name in studies) or "none"
        raise RunError(f"the file has no study {NAME!r}, and not one alone: {names:.200}; rename it back to {NAME!r}")
    return ours[0][0], str(ours[0][1])


def _choice(distribution: Distribution, value: float) -> Choice:
    if isinstance(distribution, OneOf):
        return distribution.values[int(value)]
    return int(value) if isinstance(distribution, IntRange) else float(value)


@contextmanager
def open_study_file(file: Path) -> Iterator[StudyFile]:
    """Open the study of a file for reading. Raises RunError where it is not a study of this toolkit.

    Where its folder cannot be written, or the disk is full, it is read as it is, or as a copy where changes of a driver
    lie beside it.
    """
    check_file(file)
    with ExitStack() as copies, closing(_connected(file, copies)) as database:
        check_plain(database, file)
        database.execute("BEGIN")  # one state of the study for all that is read
        yield StudyFile(database)


def check_file(file: Path) -> None:
    """Raise RunError where a run's study is missing."""
    if not file.is_file() or file.is_symlink():
        raise not_a_run(file.parent)


def _connected(file: Path, copies: ExitStack) -> sqlite3.Connection:
    """Return a connection to a study, or to a copy of it in a temporary folder that `copies` removes."""
    if os.access(file, os.W_OK) and os.access(file.parent, os.W_OK):
        try:
            return _connection(file, "mode=rw")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF not in CANNOT_WRITE:
                raise
    if _size(_log(file)):
        return _connection(_copy(file, Path(copies.enter_context(TemporaryDirectory()))), "mode=rw")
    return _connection(file, "mode=ro&immutable=1")


def _connection(file: Path, how: str) -> sqlite3.Connection:
    database = sqlite3.connect(f"{file.absolute().as_uri()}?{how}", uri=True, timeout=LOCKED_SECONDS)
    try:
        database.execute("SELECT count(*) FROM sqlite_master")  # makes the files that a shared reading needs
    except sqlite3.Error:
        database.close()
        raise
    return database


def check_plain(database: sqlite3.Connection, file: Path) -> None:
    """Raise RunError for a database with views or triggers: a view may have rows without end."""
    query = "SELECT count(*) FROM sqlite_master WHERE type IN ('view', 'trigger')"
    if database.execute(query).fetchone()[0]:
        raise RunError(f"{file} has views or triggers: it is not a study of this toolkit")


def _log(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _copy(file: Path, folder: Path) -> Path:
    """Return a copy of a study with the changes beside it. Raises RunError when it is written again and again."""
    for _ in range(MAX_COPIES):
        before = _state(file)
        for source in (file, _log(file)):
            shutil.copyfile(source, folder / source.name)
        if _state(file) == before:
            return folder / file.name
    raise RunError(f"{file} cannot be read: a driver writes it all the time, and it cannot be locked; try again later")


def _state(file: Path) -> list[tuple[int, int]]:
    found = [part.stat() for part in (file, _log(file))]
    return [(state.st_mtime_ns, state.st_size) for state in found]
