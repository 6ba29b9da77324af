"""A run directory: the experiment, and Optuna's study as the one record of every trial.

runs/NAME/experiment.toml   effective, complete
runs/NAME/study.db          Optuna's storage (SQLite in WAL mode), unless the experiment names a server
runs/NAME/log.txt           a line a trial
runs/NAME/trials/000012/    weights of kept trials, and how they confuse classes
runs/NAME/report/           pages and figures
"""

import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from nas.search.experiment import Experiment
from nas.search.store.lease import Alone, Lease, shared
from nas.search.store.run_files import exclusive_lock
from nas.search.store.storage import StudyStorage, connect, readable, recording, writable
from nas.search.store.stored_trial import StoredTrial, to_attributes, to_result
from nas.search.store.study_view import StudyView, number_in, run_experiment
from nas.search.trial import Attributes, TrialRecord

MAX_REASON = 300  # characters kept of why a trial was refused


class Study(StudyView):
    """The open study of one run directory. Only a driver inside `held` writes."""

    def __init__(self, path: Path, experiment: Experiment, storage: StudyStorage) -> None:
        super().__init__(path, experiment, storage)
        self.storage = storage
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
        with recording(self.path):
            return self.storage.begin(record.choices, record.distributions, attributes)

    def waiting(self) -> dict[int, Attributes]:
        """Return the choices that other programs ask for through Optuna, by number of the trial that waits."""
        with readable(str(self.path)):
            return self.storage.waiting()

    def begin_waiting(self, record: TrialRecord) -> None:
        """Record a trial that waits as running, under its number."""
        attributes = to_attributes(record, self._lease.owner)
        with recording(self.path):
            self.storage.begin_waiting(record.number, record.choices, record.distributions, attributes)

    def refuse(self, number: int, reason: str) -> None:
        """Record that a trial which waits is not trained."""
        with recording(self.path):
            self.storage.refuse(number, reason[:MAX_REASON])

    def end(self, record: TrialRecord) -> None:
        """Record how a trial ended: first its result, then its state."""
        values = record.objectives(self.experiment.objectives)
        with self.exclusive(), recording(self.path):
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
            with recording(self.path):
                self.storage.set_driver(orphan.number, self._lease.owner)
        return orphan

    def add_seconds(self, elapsed: float) -> float:
        """Record that this driver worked for so many seconds until now, and return the seconds of all drivers.

        Time in which another driver of the study worked as well is counted once.
        """
        now = time.time()
        with self.exclusive(), recording(self.path):
            kept = self.storage.facts().get("time_used")
            before, until = number_in(kept, "seconds") or 0.0, number_in(kept, "until") or 0.0
            seconds = before + max(0.0, min(elapsed, now - until))
            self.storage.set_fact("time_used", {"seconds": seconds, "until": now})
        return seconds


def open_run(path: Path) -> Study:
    """Return the study of an existing run directory, to be written. Raises RunError."""
    experiment = run_experiment(path)
    return Study(path, experiment, connect(path / "study.db", experiment.storage, experiment.name))
