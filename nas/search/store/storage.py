"""Where Optuna keeps a study: a SQLite file that is made whole, or a PostgreSQL server that drivers share."""

import os
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nas.errors import NasError, RunError, quoted
from nas.files import room_hint
from nas.search.distributions import Distributions, to_optuna
from nas.search.store import lease
from nas.search.store.stored_trial import StoredTrial
from nas.search.store.study_file import LOCKED_SECONDS, NAME, check_file, check_plain, study_of
from nas.search.trial import Attributes

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial, TrialState


class StudyStorage:
    """Our handle on one study of an Optuna storage, read through Optuna's cache."""

    def __init__(self, backend: "RDBStorage", name: str) -> None:
        import optuna

        self._backend = backend
        self._storage = optuna.storages.get_storage(backend)
        self._study = self._storage.get_study_id_from_name(name)
        self._finished: dict[int, StoredTrial] = {}

    def close(self) -> None:
        """Close the connections, which checkpoints a file's write-ahead log; the next use opens them again."""
        self._backend.engine.dispose()

    def trials(self) -> list[StoredTrial]:
        """Return the trials, in order of their numbers."""
        return [self._finished.get(each.number) or self._stored(each) for each in self._all()]

    def _all(self, *states: "TrialState") -> "list[FrozenTrial]":
        """Return Optuna's trials, shared with its cache: not to be changed."""
        return self._storage.get_all_trials(self._study, deepcopy=False, states=states or None)

    def _stored(self, trial: "FrozenTrial") -> StoredTrial:
        stored = StoredTrial.of(trial)
        if stored.is_finished:  # it does not change any more
            self._finished[stored.number] = stored
        return stored

    def facts(self) -> Attributes:
        """Return what the study was made with."""
        return self._storage.get_study_user_attrs(self._study)

    def set_fact(self, key: str, value: object) -> None:
        """Record a fact on the study."""
        self._storage.set_study_user_attr(self._study, key, value)

    def begin(self, choices: Mapping[str, object], distributions: Distributions, attributes: Attributes) -> int:
        """Record a running trial in one transaction and return its number."""
        from optuna.trial import TrialState, create_trial

        trial = create_trial(
            state=TrialState.RUNNING,
            params=dict(choices),
            distributions={name: to_optuna(each) for name, each in distributions.items()},
            user_attrs=attributes,
        )
        return self._storage.get_trial_number_from_id(self._storage.create_new_trial(self._study, trial))

    def waiting(self) -> dict[int, Attributes]:
        """Return the choices that other programs ask for through Optuna, by number of the trial that waits."""
        from optuna.trial import TrialState

        waiting = self._all(TrialState.WAITING)
        return {each.number: each.params | each.system_attrs.get("fixed_params", {}) for each in waiting}

    def begin_waiting(
        self, number: int, choices: Mapping[str, object], distributions: Distributions, attributes: Attributes
    ) -> None:
        """Record a waiting trial as running. A driver that dies meanwhile leaves it waiting."""
        from optuna.trial import TrialState

        trial = self._id(number)
        for name, value in choices.items():
            kind = to_optuna(distributions[name])
            self._storage.set_trial_param(trial, name, kind.to_internal_repr(value), kind)
        for key, value in attributes.items():
            self._storage.set_trial_user_attr(trial, key, value)
        self._storage.set_trial_state_values(trial, TrialState.RUNNING)

    def refuse(self, number: int, reason: str) -> None:
        """Record that a waiting trial is not trained."""
        from optuna.trial import TrialState

        self._storage.set_trial_user_attr(self._id(number), "refused", reason)
        self._storage.set_trial_state_values(self._id(number), TrialState.FAIL)

    def end(self, number: int, result: Attributes, values: Sequence[float] | None, pruned: bool) -> None:
        """Record a trial's result, then its state: complete with values, else pruned or failed."""
        from optuna.trial import TrialState

        state = TrialState.COMPLETE if values else TrialState.PRUNED if pruned else TrialState.FAIL
        self._storage.set_trial_user_attr(self._id(number), "result", result)
        self._storage.set_trial_state_values(self._id(number), state, values)

    def set_driver(self, number: int, driver: int) -> None:
        """Record the lease under which a trial now runs."""
        self._storage.set_trial_user_attr(self._id(number), "driver", driver)

    def _id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study, number)


def create_study(file: Path, objectives: Sequence[str], facts: Attributes) -> None:
    """Make a study under a temporary name and rename it: neither a reader nor a crash leaves half a study."""
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as database:
        database.execute("PRAGMA journal_mode=WAL")
    storage = _sqlite(part)
    _make(storage, NAME, objectives, facts)
    storage.engine.dispose()  # the last connection closes the write-ahead log into the file
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(file)


def server_holds(url: str, name: str) -> bool:
    """Return whether a server holds a study of that name. Raises RunError."""
    with readable(url):
        storage = _postgresql(url)
        found = _holds(storage, name)
        storage.engine.dispose()
        return found


def create_study_on_server(url: str, name: str, objectives: Sequence[str], facts: Attributes) -> None:
    """Make a study on a server unless it exists; for one driver at a time. Raises RunError."""
    with readable(url):
        storage = _postgresql(url)
        if not _holds(storage, name):
            _make(storage, name, objectives, facts)
        storage.engine.dispose()


def _holds(storage: "RDBStorage", name: str) -> bool:
    return name in {study.study_name for study in storage.get_all_studies()}


def _make(storage: "RDBStorage", name: str, objectives: Sequence[str], facts: Attributes) -> None:
    import optuna

    minimize = [optuna.study.StudyDirection.MINIMIZE] * len(objectives)
    study = optuna.create_study(storage=storage, study_name=name, directions=minimize)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(list(objectives))
    for key, value in facts.items():
        study.set_user_attr(key, value)


def connect(file: Path, url: str | None, name: str) -> StudyStorage:
    """Return the study on a server when there is a URL, else the one in the file. Raises RunError."""
    if url:
        with readable(url):
            return StudyStorage(_postgresql(url), name)
    check_file(file)
    with readable(str(file)):
        with closing(sqlite3.connect(file, timeout=LOCKED_SECONDS)) as database:
            check_plain(database, file)
            _, found = study_of(database)
        return StudyStorage(_sqlite(file), found)


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn what SQLite and Optuna raise on a damaged study, which is nearly anything, into a RunError."""
    try:
        yield
    except NasError:
        raise
    except Exception as problem:
        lines = str(problem).strip().splitlines() or [type(problem).__name__]
        raise RunError(f"{where} cannot be read as a study: {lines[0][:200]}{room_hint(where)}") from problem


@contextmanager
def recording(where: Path) -> Iterator[None]:
    """Turn what Optuna raises when it writes a damaged study into a RunError; `writable` tells of the rest."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (NasError, OSError, sqlite3.Error, DBAPIError, StorageInternalError):
        raise
    except Exception as problem:
        said = " ".join(str(problem).split()) or type(problem).__name__
        raise RunError(f"the study of {where} is damaged: {said:.200}. See: nas doctor {quoted(where)}") from problem


@contextmanager
def writable(where: Path) -> Iterator[None]:
    """Turn a full disk, a database that stays locked or a lost server into a RunError, and nothing else."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (OSError, sqlite3.Error, DBAPIError, StorageInternalError) as problem:
        cause = problem.__cause__ if isinstance(problem, StorageInternalError) and problem.__cause__ else problem
        said = " ".join(str(getattr(cause, "orig", None) or cause).split())
        begun = os.path.exists(where / "experiment.toml") and not os.path.exists(where / "study.db.part")
        kept = f"Finished trials are kept; fix that and continue with: nas resume {quoted(where)}"
        remedy = kept if begun else "Fix that, or choose another place with --out"
        raise RunError(f"{where} cannot be written: {said:.200}. {remedy}") from problem


def _sqlite(file: Path) -> "RDBStorage":
    """Return a storage on a file, opened by its path: in a URL some letters of a path have a meaning."""
    from sqlalchemy.pool import QueuePool

    def opened() -> sqlite3.Connection:
        return sqlite3.connect(file, timeout=LOCKED_SECONDS, check_same_thread=False)

    return _storage("sqlite://", {"creator": opened, "poolclass": QueuePool})


def _postgresql(url: str) -> "RDBStorage":
    lease.driver()
    limit = f"-c idle_in_transaction_session_timeout={lease.SECTION_SECONDS}s"  # a stopped driver must not block others
    arguments = {"connect_timeout": LOCKED_SECONDS, "options": limit}
    return _storage(url.replace("postgresql:", "postgresql+psycopg:", 1), {"connect_args": arguments})


def _storage(url: str, engine: Attributes) -> "RDBStorage":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.storages.RDBStorage(url, engine_kwargs=engine)
