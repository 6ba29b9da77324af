"""A run directory: the experiment, and Optuna's study as the one record of every trial.

runs/NAME/experiment.toml   effective, complete
runs/NAME/study.db          Optuna's storage (SQLite in WAL mode)
runs/NAME/trials/000012/    weights of kept trials
runs/NAME/report/           pages and figures
"""

import os
import platform
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from nas.errors import ExperimentError, NasError, RunError
from nas.genome.cost import Cost, cost
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.genome.text import from_json, to_json
from nas.search import experiment as experiments
from nas.search.experiment import Experiment
from nas.training.data import digest, task
from nas.training.score import Score

State = Literal["running", "complete", "pruned", "failed"]
LOCKED_SECONDS = 60  # how long a writer waits for another; SQLite's own 5 s loses trials
BEGUN = {
    "experiment.toml",
    "experiment.toml.part",
    "study.db.part",
    "study.db.part-wal",
    "study.db.part-shm",
    "driver.lock",
}
"""What a driver that died while it made the run may have left."""
# What a continued run may change.
LOOSE = {"name", "data_dir", "trials", "workers", "sampler", "timeout", "memory_gb", "baselines"}


@dataclass(frozen=True)
class Record:
    """One trial: what was chosen, what it is, what it cost, how it did."""

    number: int
    choices: dict[str, Any]
    graph: Graph
    fingerprint: str
    cost: Cost
    seed: int
    scores: tuple[Score, ...] = ()
    state: State = "running"
    reason: str = ""  # of a failure: nan, oom, killed, error; empty otherwise
    detail: str = ""  # what the failure said
    seconds: float = 0.0  # of training
    baseline: str = ""  # the known network it is; empty for a trial of the search

    @property
    def known_error(self) -> float | None:
        """What a sampler learns from: also the last error of a trial that was stopped early."""
        return self.scores[-1].error if self.state in ("complete", "pruned") and self.scores else None

    @property
    def error(self) -> float | None:
        """Validation error after the last epoch, a fraction; None unless the trial is complete."""
        return self.scores[-1].error if self.state == "complete" and self.scores else None

    def objectives(self, names: tuple[str, ...]) -> tuple[float, ...] | None:
        """The values to be minimised, in order; None unless the trial is complete."""
        if self.error is None:
            return None
        return tuple(self.error if name == "error" else float(getattr(self.cost, name)) for name in names)


@dataclass(frozen=True)
class Run:
    """A run as it stands: read once, nothing held open."""

    path: Path
    experiment: Experiment
    records: tuple[Record, ...]
    ledger: dict[str, int]
    command: str
    versions: dict[str, str]
    baselines: tuple[Record, ...] = ()  # known networks trained beside the search; none is among `records`

    @cached_property
    def task(self) -> Task:
        """What the networks are asked to do; read off the first, so that reading a run needs no images."""
        if not self.records:
            return task(self.experiment.source)
        graph = self.records[0].graph
        return Task(self.experiment.data, graph.input, graph.nodes[graph.outputs[0]].shape[0])

    def best(self) -> Record:
        """The complete trial of least validation error, the cheaper of equals. Raises RunError when there is none."""
        done = [record for record in self.records if record.error is not None]
        if not done:
            raise RunError(f"{self.path}: no trial is complete yet; go on with: nas resume {self.path}")
        return min(done, key=lambda record: (record.error, record.cost.macs, record.number))

    def record(self, which: str) -> Record:
        """A trial by number, or `best`. Raises RunError."""
        if which == "best":
            return self.best()
        found = [record for record in (*self.records, *self.baselines) if str(record.number) == which]
        if not found:
            raise RunError(f"{self.path}: no trial {which[:20]!r}; there are {len(self.records)}, from 0, and `best`")
        return found[0]

    def weights(self, record: Record) -> Path:
        """Where a trial's weights lie, if they were kept."""
        return folder(self.path, record.number) / "weights.safetensors"


def folder(path: Path, number: int) -> Path:
    """A trial's own directory; its name comes from the number alone."""
    return path / "trials" / f"{number:06d}"


def versions() -> dict[str, str]:
    """What a reader needs to reproduce the run."""
    packages = {name: version(name) for name in ("torch", "optuna", "numpy", "scikit-learn")}
    return {"nas": version("nas-convnets"), "python": platform.python_version(), **packages}


class Study:
    """The open study of one run directory. Only the driver that holds the lock writes."""

    def __init__(self, path: Path, experiment: Experiment, study: Any) -> None:
        self.path, self.experiment, self._study = path, experiment, study

    def begin(self, choices: Mapping[str, Any], distributions: Mapping[str, Any], row: dict[str, Any]) -> int:
        """Record a trial as running, in one transaction; returns its number."""
        from optuna.trial import TrialState, create_trial

        trial = create_trial(
            state=TrialState.RUNNING, params=dict(choices), distributions=dict(distributions), user_attrs=row
        )
        self._study.add_trial(trial)
        return len(self._study.get_trials(deepcopy=False)) - 1

    def end(self, record: Record) -> None:
        """Record how a trial ended: first what happened, then that it is over."""
        from optuna.trial import TrialState

        result = {
            "scores": [asdict(score) for score in _finite(record.scores)],
            "reason": record.reason,
            "detail": record.detail[:2000],
            "seconds": round(record.seconds, 3),
        }
        trial = self._study.get_trials(deepcopy=False)[record.number]
        self._study._storage.set_trial_user_attr(trial._trial_id, "result", result)
        values = record.objectives(self.experiment.objectives)
        if values is None:
            state = TrialState.PRUNED if record.state == "pruned" else TrialState.FAIL
            self._study.tell(record.number, state=state)
        else:
            self._study.tell(record.number, list(values))

    def trials(self) -> list[Any]:
        """Optuna's own records of the search's trials."""
        return [trial for trial in self._study.get_trials(deepcopy=False) if "baseline" not in trial.user_attrs]

    def records(self) -> tuple[Record, ...]:
        """Every trial of the search, in order."""
        return tuple(_record(trial) for trial in self.trials())

    def baselines(self) -> tuple[Record, ...]:
        """The known networks trained beside the search, in order."""
        trials = self._study.get_trials(deepcopy=False)
        return tuple(_record(trial) for trial in trials if "baseline" in trial.user_attrs)

    def ledger(self) -> Counter[str]:
        """Proposals by outcome, as of the last trial."""
        trials = self.trials()
        return Counter(trials[-1].user_attrs["ledger"] if trials else {})

    def read(self) -> Run:
        """The run as it stands."""
        attributes = self._study.user_attrs
        ledger = dict(self.ledger())
        return Run(
            self.path, self.experiment, self.records(), ledger, attributes["command"], dict(attributes["versions"]),
            self.baselines(),
        )  # fmt: skip


def _finite(scores: tuple[Score, ...]) -> tuple[Score, ...]:
    """NaN and infinity are not JSON: the epoch that diverged is told by the reason instead."""
    return tuple(s for s in scores if all(abs(v) < float("inf") for v in (s.error, s.loss, s.train_loss)))


def row(graph: Graph, fingerprint: str, seed: int, ledger: Mapping[str, int]) -> dict[str, Any]:
    """What the study keeps of a trial besides its choices."""
    counts = {name: str(value) for name, value in cost(graph).as_dict().items()}  # exact, however large
    return {
        "genome": to_json(graph), "cost": counts, "fingerprint": fingerprint, "seed": seed, "ledger": dict(ledger)
    }  # fmt: skip


def _record(trial: Any) -> Record:
    names = {"RUNNING": "running", "COMPLETE": "complete", "PRUNED": "pruned"}
    state: Any = names.get(trial.state.name, "failed")
    try:
        attributes = trial.user_attrs
        graph = from_json(attributes["genome"])
        result = attributes.get("result", {}) if state != "running" else {}  # a driver may die between the two writes
        scores = tuple(Score(**score) for score in result.get("scores", ()))
        return Record(
            trial.number, dict(trial.params), graph, str(attributes["fingerprint"]), cost(graph),
            int(attributes["seed"]), scores, state, str(result.get("reason", "")), str(result.get("detail", "")),
            float(result.get("seconds", 0.0)), str(attributes.get("baseline", "")),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, NasError) as problem:
        raise RunError(f"trial {trial.number} of the study is damaged: {problem!r:.200}") from None


def create(path: Path, experiment: Experiment, command: str) -> Study:
    """Make a run directory, or open the one that asks the same question.

    Raises RunError when the directory holds a run of another question, showing the difference, or of other images.
    """
    images = digest(experiment.source)
    if (path / "study.db").exists():
        study = open_run(path)
        _same(path, study.experiment, experiment)
        if study._study.user_attrs.get("images", images) != images:
            raise RunError(f"{path} holds a run on other images than {experiment.data} has now. Use another --out")
        wanted = study.experiment.model_copy(update={name: getattr(experiment, name) for name in LOOSE})
        write_whole(path / "experiment.toml", experiments.to_toml(wanted, f"Run by: {command}"))
        return Study(path, wanted, study._study)
    if path.exists() and (not path.is_dir() or {file.name for file in path.iterdir()} - BEGUN):
        raise RunError(f"{path} exists and holds no run; choose another place with --out")
    path.mkdir(parents=True, exist_ok=True)
    write_whole(path / "experiment.toml", experiments.to_toml(experiment, f"Run by: {command}"))
    _found(path / "study.db", experiment, {"command": command, "versions": versions(), "images": images})
    return open_run(path)


def _same(path: Path, before: Experiment, now: Experiment) -> None:
    old, new = before.as_dict(), now.as_dict()
    changed = [key for key in old if key not in LOOSE and old[key] != new[key]]
    if changed:
        shown = "; ".join(f"{key} was {old[key]}, is now {new[key]}" for key in changed)
        raise RunError(f"{path} holds a run of another question ({shown}). Choose another place with --out")


def open_run(path: Path) -> Study:
    """The study of an existing run directory. Raises RunError."""
    file = path / "study.db"
    if not file.is_file() or file.is_symlink():
        raise RunError(f"{path} is no run directory: it has no study.db")
    try:
        experiment = experiments.read(path / "experiment.toml")
    except OSError as problem:
        raise RunError(f"{path}: experiment.toml cannot be read: {problem.strerror}") from None
    except ExperimentError as problem:
        raise RunError(str(problem)) from None
    return Study(path, experiment, _connect(file))


def load(path: Path) -> Run:
    """A run directory as it stands, finished or not. Raises RunError."""
    return open_run(path).read()


def _found(file: Path, experiment: Experiment, facts: dict[str, Any]) -> None:
    """Make a study whole beside its place and move it there: no reader, and no crash, meets half a study."""
    import optuna

    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as database:
        database.execute("PRAGMA journal_mode=WAL")
    storage = _storage(part)
    minimize = [optuna.study.StudyDirection.MINIMIZE] * len(experiment.objectives)
    study = optuna.create_study(storage=storage, study_name="search", directions=minimize)
    for name, value in facts.items():
        study.set_user_attr(name, value)
    storage.engine.dispose()  # the last connection closes the write-ahead log into the file
    part.replace(file)


def _connect(file: Path) -> Any:
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return optuna.load_study(storage=_storage(file), study_name="search")
    except (sqlite3.Error, SQLAlchemyError, KeyError, RuntimeError) as problem:
        raise RunError(f"{file} cannot be read as a study: {str(problem).splitlines()[0][:200]}") from None


def _storage(file: Path) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.storages.RDBStorage(f"sqlite:///{file}", engine_kwargs={"connect_args": {"timeout": LOCKED_SECONDS}})


def write_whole(path: Path, text: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Hold the run for one driver. The kernel frees the lock when the driver dies, however it dies."""
    import fcntl

    path.mkdir(parents=True, exist_ok=True)
    with (path / "driver.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"{path} is in use by another driver; watch it with: nas status {path}") from None
        yield
