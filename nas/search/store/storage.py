"""Where Optuna keeps a study: a SQLite file that is made whole, or a PostgreSQL server that drivers share."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from nas.errors import NasError, RunError
from nas.search.store import lease

LOCKED_SECONDS = 60  # how long a writer waits for another; SQLite's own 5 s loses trials
NAME = "search"  # of the one study in a file; on a server it is the experiment's


def create_study(file: Path, objectives: int, facts: dict[str, Any]) -> None:
    """Make a study whole beside its place and move it there: no reader, and no crash, meets half a study."""
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as database:
        database.execute("PRAGMA journal_mode=WAL")
    storage = _sqlite(part)
    _make(storage, NAME, objectives, facts)
    storage.engine.dispose()  # the last connection closes the write-ahead log into the file
    part.replace(file)


def create_study_on_server(url: str, name: str, objectives: int, facts: dict[str, Any]) -> None:
    """Make a study on a server unless it is there; for one driver at a time. Raises RunError."""
    with readable(url):
        storage = _postgresql(url)
        if name not in {study.study_name for study in storage.get_all_studies()}:
            _make(storage, name, objectives, facts)
        storage.engine.dispose()


def _make(storage: Any, name: str, objectives: int, facts: dict[str, Any]) -> None:
    import optuna

    minimize = [optuna.study.StudyDirection.MINIMIZE] * objectives
    study = optuna.create_study(storage=storage, study_name=name, directions=minimize)
    for key, value in facts.items():
        study.set_user_attr(key, value)


def connect(file: Path, url: str | None, name: str) -> Any:
    """Optuna's study: on a server when there is a URL, else in the file. Raises RunError."""
    import optuna

    if url:
        with readable(url):
            return optuna.load_study(storage=_postgresql(url), study_name=name)
    if not file.is_file() or file.is_symlink():
        raise RunError(f"{file.parent} is no run directory: it has no study.db")
    with readable(str(file)):
        _plain(file)
        return optuna.load_study(storage=_sqlite(file), study_name=NAME)


def _plain(file: Path) -> None:
    """Refuse a database with views or triggers: a view may have rows without end."""
    with closing(sqlite3.connect(file, timeout=LOCKED_SECONDS)) as database:
        query = "SELECT count(*) FROM sqlite_master WHERE type IN ('view', 'trigger')"
        if database.execute(query).fetchone()[0]:
            raise RunError(f"{file} has views or triggers: no study of ours")


@contextmanager
def readable(where: str) -> Iterator[None]:
    """What a damaged study makes SQLite and Optuna raise, which is nearly anything, becomes a RunError."""
    try:
        yield
    except NasError:
        raise
    except Exception as problem:
        lines = str(problem).strip().splitlines() or [type(problem).__name__]
        raise RunError(f"{where} cannot be read as a study: {lines[0][:200]}") from problem


@contextmanager
def writable(where: Path) -> Iterator[None]:
    """A full disk, a database that stays locked or a server that is gone becomes a RunError; nothing else does."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (OSError, sqlite3.Error, DBAPIError, StorageInternalError) as problem:
        cause = problem.__cause__ if isinstance(problem, StorageInternalError) and problem.__cause__ else problem
        said = " ".join(str(getattr(cause, "orig", None) or cause).split())
        begun = os.path.exists(where / "experiment.toml")
        kept = f"What was finished is kept; mend that and go on with: nas resume {where}"
        remedy = kept if begun else "Mend that, or choose another place with --out"
        raise RunError(f"{where} cannot be written: {said:.200}. {remedy}") from problem


def _sqlite(file: Path) -> Any:
    """The file is opened by its path: in a URL, some letters of a path mean something else."""
    from sqlalchemy.pool import QueuePool

    def opened() -> sqlite3.Connection:
        return sqlite3.connect(file, timeout=LOCKED_SECONDS, check_same_thread=False)

    return _storage("sqlite://", {"creator": opened, "poolclass": QueuePool})


def _postgresql(url: str) -> Any:
    lease.driver()
    given_up = f"-c idle_in_transaction_session_timeout={lease.SECTION_SECONDS}s"  # else a stopped driver stops others
    arguments = {"connect_timeout": LOCKED_SECONDS, "options": given_up}
    return _storage(url.replace("postgresql:", "postgresql+psycopg:", 1), {"connect_args": arguments})


def _storage(url: str, engine: dict[str, Any]) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.storages.RDBStorage(url, engine_kwargs=engine)
