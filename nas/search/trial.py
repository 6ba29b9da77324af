"""What a study says of its trials, and a run as it is read."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from nas.errors import NasError, RunError
from nas.genome.cost import Cost, cost
from nas.genome.genome_json import from_json, to_json
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.search.experiment import Experiment
from nas.training.data import task
from nas.training.score import Score

State = Literal["running", "complete", "pruned", "failed"]


@dataclass(frozen=True)
class TrialRecord:
    """One trial: what was chosen, what it is, what it cost, how it did."""

    number: int
    choices: dict[str, Any]
    graph: Graph
    fingerprint: str
    cost: Cost
    seed: int
    scores: tuple[Score, ...] = ()
    state: State = "running"
    reason: str = ""  # of a failure: nan, oom, killed, timeout, error; empty otherwise
    detail: str = ""  # what the failure said
    seconds: float = 0.0  # of training
    baseline: str = ""  # the known network it is; empty for a trial of the search
    repeated: int = 0  # epochs trained a second time, after it was stopped and promoted
    parents: tuple[int, ...] = ()  # the trials it was made of, where it was not drawn from the space

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
    records: tuple[TrialRecord, ...]
    ledger: dict[str, int]
    command: str
    versions: dict[str, str]
    baselines: tuple[TrialRecord, ...] = ()  # known networks trained beside the search; none is among `records`

    @cached_property
    def task(self) -> Task:
        """What the networks are asked to do; read off the first, so that reading a run needs no images."""
        name = self.experiment.images
        if not self.records:
            return replace(task(self.experiment.source), name=name)
        graph = self.records[0].graph
        return Task(name, graph.input, graph.nodes[graph.outputs[0]].shape[0])

    def best(self) -> TrialRecord:
        """The complete trial of least validation error, the cheaper of equals. Raises RunError when there is none."""
        done = [record for record in self.records if record.error is not None]
        if not done:
            raise RunError(f"{self.path}: no trial is complete yet; go on with: nas resume {self.path}")
        return min(done, key=lambda record: (record.error, record.cost.macs, record.number))

    def record(self, which: str) -> TrialRecord:
        """A trial by number, or `best`. Raises RunError."""
        if which == "best":
            return self.best()
        found = [record for record in (*self.records, *self.baselines) if str(record.number) == which]
        if not found:
            raise RunError(f"{self.path}: no trial {which[:20]!r}; there are {len(self.records)}, from 0, and `best`")
        return found[0]

    def weights(self, record: TrialRecord) -> Path:
        """Where a trial's weights lie, if they were kept."""
        return trial_folder(self.path, record.number) / "weights.safetensors"


def trial_folder(path: Path, number: int) -> Path:
    """A trial's own directory; its name comes from the number alone."""
    return path / "trials" / f"{number:06d}"


def versions() -> dict[str, str]:
    """What a reader needs to reproduce the run."""
    packages = {name: version(name) for name in ("torch", "optuna", "numpy", "scikit-learn")}
    return {"nas": version("nas-convnets"), "python": platform.python_version(), **packages}


def finite(scores: tuple[Score, ...]) -> tuple[Score, ...]:
    """NaN and infinity are not JSON: the epoch that diverged is told by the reason instead."""
    return tuple(s for s in scores if all(abs(v) < float("inf") for v in (s.error, s.loss, s.train_loss)))


def to_attributes(graph: Graph, fingerprint: str, seed: int, ledger: Mapping[str, int]) -> dict[str, Any]:
    """What the study keeps of a trial besides its choices."""
    counts = {name: str(value) for name, value in cost(graph).as_dict().items()}  # exact, however large
    return {
        "genome": to_json(graph), "cost": counts, "fingerprint": fingerprint, "seed": seed, "ledger": dict(ledger)
    }  # fmt: skip


_SCORES = TypeAdapter(tuple[Score, ...])


def from_optuna(trial: Any) -> TrialRecord:
    """One of Optuna's trials as ours, nothing in it trusted. Raises RunError."""
    names = {"RUNNING": "running", "COMPLETE": "complete", "PRUNED": "pruned"}
    state: Any = names.get(trial.state.name, "failed")
    try:
        attributes = trial.user_attrs
        graph = from_json(attributes["genome"])
        result = attributes.get("result", {}) if state != "running" else {}  # a driver may die between the two writes
        scores = _SCORES.validate_python(result.get("scores", ()))
        return TrialRecord(
            trial.number, dict(trial.params), graph, str(attributes["fingerprint"]), cost(graph),
            int(attributes["seed"]), scores, state, str(result.get("reason", "")), str(result.get("detail", "")),
            float(result.get("seconds", 0.0)), str(attributes.get("baseline", "")),
            int(result.get("repeated", 0)), tuple(map(int, attributes.get("parents", ()))),
        )  # fmt: skip
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError, NasError) as problem:
        raise RunError(
            f"trial {trial.number} of the study is damaged: {' '.join(repr(problem).split()):.200}"
        ) from None
