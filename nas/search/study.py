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
from nas.search.files import BEGUN, contained, owned, write_whole
from nas.search.lease import Alone, Lease, shared
from nas.search.record import Record, Run, State, as_record, finite, folder, row, versions
from nas.search.storage import connect, found, found_on_server, readable, writable
from nas.training.data import digest

# What a continued run may change.
LOOSE = {
    "name", "data_dir", "trials", "workers", "sampler", "timeout", "memory_gb", "baselines", "executor",
    "cpus_per_trial", "gpus_per_trial", "tracker",
}  # fmt: skip

__all__ = [
    "LOOSE", "Record", "Run", "State", "Study", "create", "folder", "load", "open_run", "owned", "row", "versions",
    "write_whole",
]  # fmt: skip


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
        with owned(self.path), writable(self.path):
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

    def end(self, record: Record) -> None:
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

    def orphans(self, trials: Iterable[Any], mine: Container[int] = ()) -> Iterator[Record]:
        """Of Optuna's trials, those that run without a driver; those in `mine` have this one."""
        for trial in trials:
            if trial.state.name == "RUNNING" and trial.number not in mine:
                with readable(str(self.path)):
                    owner = int(trial.user_attrs.get("driver", 0))
                if not self._lease.lives(owner):
                    yield as_record(trial)

    def adopt(self, trials: Iterable[Any], mine: Container[int]) -> Record | None:
        """An orphan, now this driver's; None when there is none."""
        orphan = next(self.orphans(trials, mine), None)
        if orphan and self._lease.owner:
            self._study._storage.set_trial_user_attr(self._id(orphan), "driver", self._lease.owner)
        return orphan

    def _id(self, record: Record) -> Any:
        return self._study._storage.get_trial_id_from_study_id_trial_number(self._study._study_id, record.number)

    def everything(self) -> list[Any]:
        """Optuna's own records of all trials, known networks' too. Each call asks the storage."""
        with readable(str(self.path)):
            return list(self._study.get_trials(deepcopy=False))

    def trials(self) -> list[Any]:
        """Optuna's own records of the search's trials."""
        return searched(self.everything())

    def records(self) -> tuple[Record, ...]:
        """Every trial of the search, in order."""
        return tuple(as_record(trial) for trial in self.trials())

    def baselines(self) -> tuple[Record, ...]:
        """The known networks trained beside the search, in order."""
        return tuple(as_record(trial) for trial in self.everything() if "baseline" in trial.user_attrs)

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
        search = searched(trials)
        beside = tuple(as_record(trial) for trial in trials if "baseline" in trial.user_attrs)
        ledger = dict(self.ledger(search))
        return Run(self.path, self.experiment, tuple(map(as_record, search)), ledger, command, made_with, beside)

    def images(self) -> str | None:
        """The digest of the images it began with."""
        with readable(str(self.path)):
            images = self._study.user_attrs.get("images")
            return None if images is None else str(images)


def searched(trials: Iterable[Any]) -> list[Any]:
    """Those of the search, without the known networks beside it."""
    return [trial for trial in trials if "baseline" not in trial.user_attrs]


def create(path: Path, experiment: Experiment, command: str) -> Study:
    """Make a run directory, or open the one that asks the same question.

    Raises RunError when another driver holds the directory, when it, or the server's study of that name, is of another
    question, showing the difference, or of other images, and when it cannot be written.
    """
    images = digest(experiment.source)
    note = f"Run by: {command}"
    with writable(path):
        _refuse_strange(path)
        with owned(path):
            if not begun(path):
                asked = experiment.as_dict() | {"storage": None}
                facts = {"command": command, "versions": versions(), "images": images, "experiment": asked}
                _found(path, experiment, facts, note)
            study = open_run(path)
            try:
                _same(path, study.experiment, experiment, images, study.images())
            except RunError:
                study.close()
                raise
            if wanted := _loosened(study.experiment, experiment):
                write_whole(path / "experiment.toml", experiments.to_toml(wanted, note))
                study.experiment = wanted
            return study


def begun(path: Path) -> bool:
    """Whether the directory holds a run."""
    return (path / "study.db").exists() or on_server(path)


def _refuse_strange(path: Path) -> None:
    """Leave alone what is no run. Raises RunError."""
    strange = path.exists() and (not path.is_dir() or {file.name for file in path.iterdir()} - BEGUN)
    if strange and not begun(path):
        raise RunError(f"{path} exists and holds no run; choose another place with --out")


def _found(path: Path, experiment: Experiment, facts: dict[str, Any], note: str) -> None:
    """The experiment, then its study; on a server, the study that other drivers may have made."""
    text, objectives = experiments.to_toml(experiment, note), len(experiment.objectives)
    if url := experiment.storage:
        with shared(url, experiment.name) as lease, lease.exclusive():
            found_on_server(url, experiment.name, objectives, facts)
        with closing(Study(path, experiment, connect(path / "study.db", url, experiment.name))) as study:
            if before := asked(study._study, path):
                _same(path, before, experiment, facts["images"], study.images())
        write_whole(path / "experiment.toml", text)
    else:
        write_whole(path / "experiment.toml", text)
        found(path / "study.db", objectives, facts)


def asked(study: Any, path: Path) -> Experiment | None:
    """The experiment as it was when Optuna's study was made, if it says so. Raises RunError or ExperimentError."""
    with readable(str(path)):
        written = study.user_attrs.get("experiment")
        return None if written is None else experiments.validate(written, f"the study of {path}")


def on_server(path: Path) -> bool:
    """Whether the run's study lies on a server, as far as its experiment can be read."""
    try:
        return experiments.read(path / "experiment.toml").storage is not None
    except (OSError, ExperimentError):
        return False


def _loosened(before: Experiment, now: Experiment) -> Experiment | None:
    """The run's experiment with what may change changed; None when nothing is."""
    wanted = before.model_copy(update={name: getattr(now, name) for name in LOOSE})
    return None if wanted == before else wanted


def _same(path: Path, before: Experiment, now: Experiment, images: str, images_before: str | None) -> None:
    old, new = before.as_dict(), now.as_dict()
    free = LOOSE | ({"storage"} if now.storage else set())  # two machines may know a server by two names
    changed = [key for key in old if key not in free and old[key] != new[key]]
    if changed:
        shown = "; ".join(f"{key} was {old[key]}, is now {new[key]}" for key in changed)
        raise RunError(f"{path} holds a run of another question ({shown}). Choose another place with --out")
    if images_before not in (None, images):
        raise RunError(f"{path} holds a run on other images than {now.data} has now. Use another --out")


def open_run(path: Path) -> Study:
    """The study of an existing run directory. Raises RunError."""
    contained(path)
    if not (path / "study.db").is_file() and not (path / "experiment.toml").is_file():
        raise RunError(f"{path} is no run directory: it has no study.db")
    try:
        experiment = experiments.read(path / "experiment.toml")
    except OSError as problem:
        raise RunError(f"{path}: experiment.toml cannot be read: {problem.strerror}. See: nas doctor {path}") from None
    except ExperimentError as problem:
        raise RunError(str(problem)) from None
    return Study(path, experiment, connect(path / "study.db", experiment.storage, experiment.name))


def load(path: Path) -> Run:
    """A run directory as it stands, finished or not. Raises RunError."""
    with closing(open_run(path)) as study:
        return study.read()
