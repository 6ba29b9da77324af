"""A run directory: the experiment, and Optuna's study as the one record of every trial.

runs/NAME/experiment.toml   effective, complete
runs/NAME/study.db          Optuna's storage (SQLite in WAL mode), unless the experiment names a server
runs/NAME/log.txt           a line a trial
runs/NAME/trials/000012/    weights of kept trials
runs/NAME/report/           pages and figures
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nas.errors import ExperimentError, RunError
from nas.search import experiment as experiments
from nas.search.experiment import Experiment
from nas.search.store.lease import Alone, Lease, shared
from nas.search.store.run_files import check_contained, exclusive_lock
from nas.search.store.storage import connect, readable, writable
from nas.search.trial import Run, TrialRecord, finite, from_optuna


class Study:
    """The open study of one run directory. Only a driver inside `held` writes."""

    def __init__(self, path: Path, experiment: Experiment, study: Any) -> None:
        self.path, self.experiment, self._study = path, experiment, study
        self._lease: Lease = Alone()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run for this driver, and its lease where others work on the study too.

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
        """No other driver proposes, adopts or records meanwhile."""
        with self._lease.exclusive():
            yield

    def close(self) -> None:
        """Let go of the storage, which takes up the write-ahead log; it opens again when it is asked."""
        self._study._storage._backend.engine.dispose()

    def begin(self, choices: Mapping[str, Any], distributions: Mapping[str, Any], row: dict[str, Any]) -> int:
        """Record a trial as running, in one transaction; returns its number."""
        from optuna.trial import TrialState, create_trial

        trial = create_trial(
            state=TrialState.RUNNING, params=dict(choices), distributions=dict(distributions),
            user_attrs=row | ({"driver": self._lease.owner} if self._lease.owner else {}),
        )  # fmt: skip
        storage = self._study._storage
        created = storage.create_new_trial(self._study._study_id, template_trial=trial)
        return int(storage.get_trial_number_from_id(created))

    def end(self, record: TrialRecord) -> None:
        """Record how a trial ended: first what happened, then that it is over."""
        from optuna.trial import TrialState

        result = {
            "scores": [asdict(score) for score in finite(record.scores)],
            "reason": record.reason,
            "detail": record.detail[:2000],
            "seconds": record.seconds,
            "repeated": record.repeated,
        }
        values = record.objectives(self.experiment.objectives)
        state = TrialState.COMPLETE if values else TrialState.PRUNED if record.state == "pruned" else TrialState.FAIL
        storage = self._study._storage
        with self.exclusive():
            storage.set_trial_user_attr(self._id(record), "result", result)
            storage.set_trial_state_values(self._id(record), state, values)

    def orphans(self, trials: Iterable[Any], mine: Container[int] = ()) -> Iterator[TrialRecord]:
        """Of Optuna's trials, those that run without a driver; those in `mine` have this one."""
        for trial in trials:
            if trial.state.name == "RUNNING" and trial.number not in mine:
                with readable(str(self.path)):
                    owner = int(trial.user_attrs.get("driver", 0))
                if not self._lease.is_alive(owner):
                    yield from_optuna(trial)

    def claim(self, trials: Iterable[Any], mine: Container[int]) -> TrialRecord | None:
        """An orphan, now this driver's; None when there is none."""
        orphan = next(self.orphans(trials, mine), None)
        if orphan and self._lease.owner:
            self._study._storage.set_trial_user_attr(self._id(orphan), "driver", self._lease.owner)
        return orphan

    def _id(self, record: TrialRecord) -> Any:
        return self._study._storage.get_trial_id_from_study_id_trial_number(self._study._study_id, record.number)

    def everything(self) -> list[Any]:
        """Optuna's own records of all trials, known networks' too. Each call asks the storage."""
        with readable(str(self.path)):
            return list(self._study.get_trials(deepcopy=False))

    def trials(self) -> list[Any]:
        """Optuna's own records of the search's trials."""
        return search_trials(self.everything())

    def records(self) -> tuple[TrialRecord, ...]:
        """Every trial of the search, in order."""
        return tuple(from_optuna(trial) for trial in self.trials())

    def baselines(self) -> tuple[TrialRecord, ...]:
        """The known networks trained beside the search, in order."""
        return tuple(map(from_optuna, baseline_trials(self.everything())))

    def ledger(self, trials: list[Any]) -> Counter[str]:
        """Proposals by outcome, as of the last of these trials of the search."""
        with readable(str(self.path)):
            return Counter({str(key): int(count) for key, count in trials[-1].user_attrs["ledger"].items()}
                           if trials else {})  # fmt: skip

    def read(self) -> Run:
        """The run as it stands. Raises RunError when the study is damaged."""
        with readable(str(self.path)):
            attributes = self._study.user_attrs
            command, made_with = str(attributes["command"]), {k: str(v) for k, v in attributes["versions"].items()}
        trials = self.everything()
        search = search_trials(trials)
        return Run(
            self.path, self.experiment, tuple(map(from_optuna, search)), dict(self.ledger(search)), command, made_with,
            tuple(map(from_optuna, baseline_trials(trials))),
        )  # fmt: skip

    def images(self) -> str | None:
        """The digest of the images it began with."""
        with readable(str(self.path)):
            images = self._study.user_attrs.get("images")
            return None if images is None else str(images)


def search_trials(trials: Iterable[Any]) -> list[Any]:
    """Those of the search, without the known networks beside it."""
    return [trial for trial in trials if "baseline" not in trial.user_attrs]


def baseline_trials(trials: Iterable[Any]) -> list[Any]:
    """The known networks that are trained beside the search."""
    return [trial for trial in trials if "baseline" in trial.user_attrs]


def open_run(path: Path) -> Study:
    """The study of an existing run directory. Raises RunError."""
    check_contained(path)
    if not (path / "study.db").is_file() and not (path / "experiment.toml").is_file():
        raise RunError(f"{path} is no run directory: it has no study.db")
    try:
        experiment = experiments.read_experiment(path / "experiment.toml")
    except OSError as problem:
        raise RunError(f"{path}: experiment.toml cannot be read: {problem.strerror}. See: nas doctor {path}") from None
    except ExperimentError as problem:
        raise RunError(str(problem)) from None
    return Study(path, experiment, connect(path / "study.db", experiment.storage, experiment.name))


def load_run(path: Path) -> Run:
    """A run directory as it stands, finished or not. Raises RunError."""
    with closing(open_run(path)) as study:
        return study.read()
