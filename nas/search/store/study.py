"""A run directory: the experiment, and Optuna's study as the one record of every trial.

runs/NAME/experiment.toml   effective, complete
runs/NAME/study.db          Optuna's storage (SQLite in WAL mode), unless the experiment names a server
runs/NAME/log.txt           a line a trial
runs/NAME/trials/000012/    weights of kept trials
runs/NAME/report/           pages and figures
"""

import time
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from nas.errors import ExperimentError, RunError, quoted
from nas.search.experiment import Experiment
from nas.search.experiment_file import read_experiment
from nas.search.store.data_facts import DataFacts, data_facts_of
from nas.search.store.lease import Alone, Lease, shared
from nas.search.store.run_files import check_contained, exclusive_lock
from nas.search.store.storage import StudyStorage, connect, readable, writable
from nas.search.trial import StoredTrial, TrialRecord, to_attributes, to_result


class Study:
    """The open study of one run directory. Only a driver inside `held` writes."""

    def __init__(self, path: Path, experiment: Experiment, storage: StudyStorage) -> None:
        self.path, self.experiment, self.storage = path, experiment, storage
        self._lease: Lease = Alone()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run for this driver, and a lease where other drivers share the study.

        Raises RunError when another driver holds the directory, or what is to be recorded cannot be written.
        """
        with exclusive_lock(self.path), writable(self.path):
            try:
                if url := self.experiment.storage:
                    with shared(url, self.experiment.name) as self._lease:
                        yield
                else:
                    yield
            finally:
                self._lease = Alone()
                self.close()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other drivers from proposing, claiming and recording meanwhile."""
        with self._lease.exclusive():
            yield

    def close(self) -> None:
        """Close the storage, which checkpoints the write-ahead log; it opens again when it is used."""
        self.storage.close()

    def begin(self, record: TrialRecord) -> int:
        """Record a trial as running, in one transaction; returns its number."""
        attributes = to_attributes(record, self._lease.owner)
        return self.storage.begin(record.choices, record.distributions, attributes)

    def end(self, record: TrialRecord) -> None:
        """Record how a trial ended: first its result, then its state."""
        values = record.objectives(self.experiment.objectives)
        with self.exclusive():
            self.storage.end(record.number, to_result(record), values, pruned=record.state == "pruned")

    def orphans(self, trials: list[StoredTrial], mine: Container[int] = ()) -> Iterator[TrialRecord]:
        """Yield the trials that run without a driver; those in `mine` have this one."""
        for trial in trials:
            if trial.is_running and trial.number not in mine and not self._lease.is_alive(trial.driver):
                yield trial.record

    def claim(self, trials: list[StoredTrial], mine: Container[int]) -> TrialRecord | None:
        """Return an orphan, now this driver's; None when there is none."""
        orphan = next(self.orphans(trials, mine), None)
        if orphan and self._lease.owner:
            self.storage.set_driver(orphan.number, self._lease.owner)
        return orphan

    def stored(self) -> list[StoredTrial]:
        """Return all trials, baselines included, as far as they are read. Each call asks the storage."""
        with readable(str(self.path)):
            return [StoredTrial(trial) for trial in self.storage.trials()]

    def search_trials(self) -> list[StoredTrial]:
        """Return the trials of the search."""
        return search_trials(self.stored())

    def records(self) -> tuple[TrialRecord, ...]:
        """Return every trial of the search, in order."""
        return tuple([trial.record for trial in self.search_trials()])

    def baselines(self) -> tuple[TrialRecord, ...]:
        """Return the baselines trained with the search, in order."""
        return tuple([trial.record for trial in self.stored() if trial.is_baseline])

    def origin(self) -> tuple[str, dict[str, str]]:
        """Return the command that began the run, and the versions it began with. Raises RunError."""
        with readable(str(self.path)):
            facts = self.storage.facts()
            return str(facts["command"]), {str(name): str(value) for name, value in facts["versions"].items()}

    def data_facts(self) -> DataFacts:
        """Return what it records of the images it began with. Raises RunError."""
        with readable(str(self.path)):
            return data_facts_of(self.storage.facts())

    def seconds_used(self) -> float | None:
        """Return the seconds that drivers have worked on the study; None where they are not recorded."""
        with readable(str(self.path)):
            kept = self.storage.facts().get("time_used")
        return _number(kept, "seconds")

    def add_seconds(self, elapsed: float) -> float:
        """Record that this driver worked for so many seconds until now, and return the seconds of all drivers.

        Time in which another driver of the study worked as well is counted once.
        """
        now = time.time()
        with self.exclusive():
            kept = self.storage.facts().get("time_used")
            before, until = _number(kept, "seconds") or 0.0, _number(kept, "until") or 0.0
            seconds = before + max(0.0, min(elapsed, now - until))
            self.storage.set_fact("time_used", {"seconds": seconds, "until": now})
        return seconds


def _number(table: object, key: str) -> float | None:
    """Return a number of a table in the study, unless it is damaged."""
    value = table.get(key) if isinstance(table, dict) else None
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e12 else None


def search_trials(trials: list[StoredTrial]) -> list[StoredTrial]:
    """Return the trials of the search, without the baselines."""
    return [trial for trial in trials if not trial.is_baseline]


def proposal_counts(trials: list[StoredTrial]) -> Counter[str]:
    """Return proposals by outcome, as of the last of these trials of the search."""
    return trials[-1].proposal_counts if trials else Counter()


def open_run(path: Path) -> Study:
    """Return the study of an existing run directory. Raises RunError."""
    check_contained(path)
    if not (path / "study.db").is_file() and not (path / "experiment.toml").is_file():
        raise RunError(f"{path} is not a run directory: it has no study.db")
    try:
        experiment = read_experiment(path / "experiment.toml")
    except OSError as problem:
        raise RunError(
            f"{path}: experiment.toml cannot be read: {problem.strerror}. See: nas doctor {quoted(path)}"
        ) from None
    except ExperimentError as problem:
        raise RunError(str(problem)) from None
    return Study(path, experiment, connect(path / "study.db", experiment.storage, experiment.name))
