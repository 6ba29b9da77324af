"""One trial, and the one codec between it and the attributes that Optuna stores."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

from nas.errors import NasError, RunError
from nas.genome.cost import Cost, cost
from nas.genome.genome_json import from_json, to_json
from nas.genome.graph import Graph
from nas.genome.trial import Choice
from nas.search.distributions import Distributions, from_optuna
from nas.search.objectives import OBJECTIVES, Vector
from nas.training.score import Score

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

State = Literal["running", "complete", "pruned", "failed"]
Attributes = dict[str, Any]  # of a trial or a study in Optuna's storage
MAX_DIFFERENCE = 0.01  # of the error of a repeated training from the first's
MAX_DETAIL = 2_000  # characters kept of what a failure said


class Reason(StrEnum):
    """Why a training ended before its last epoch; NONE for one that did not."""

    NONE = ""
    DIVERGED = "nan"
    OUT_OF_MEMORY = "oom"
    DISK_FULL = "disk"
    ERROR = "error"
    TIMEOUT = "timeout"
    KILLED = "killed"
    LOST = "lost"
    STOPPED = "stopped"
    ABANDONED = "abandoned"

    @property
    def summary(self) -> str:
        """Return what happened, for a table."""
        return _SUMMARIES[self]


_SUMMARIES = {
    Reason.NONE: "complete",
    Reason.DIVERGED: "nan: the loss was no longer a number",
    Reason.OUT_OF_MEMORY: "oom: the worker ran out of memory",
    Reason.DISK_FULL: "disk: no room for the weights",
    Reason.ERROR: "error: the training raised an exception",
    Reason.TIMEOUT: "timeout: the trial took too long",
    Reason.KILLED: "killed: the worker process died",
    Reason.LOST: "lost: the machine or its connection failed",
    Reason.STOPPED: "stopped: successive halving ended it early",
    Reason.ABANDONED: "abandoned: no process was training it any more",
}


@dataclass(frozen=True)
class TrialRecord:
    """One trial: what was chosen, the network, its counts and its scores.

    reason, detail: of a failure. seconds: of training. baseline: the known network it is, empty for a trial of the
    search. repeated: epochs trained a second time, after it was stopped and promoted. parents: numbers of the trials it
    was edited from. distributions: of the choices. proposal_counts: proposals by outcome when it
    began. purpose: what a study of principles trains it for.
    """

    number: int
    choices: dict[str, Choice]
    graph: Graph
    fingerprint: str
    cost: Cost
    seed: int
    scores: tuple[Score, ...] = ()
    state: State = "running"
    reason: Reason = Reason.NONE
    detail: str = ""
    seconds: float = 0.0
    baseline: str = ""
    repeated: int = 0
    parents: tuple[int, ...] = ()
    distributions: Distributions = field(default_factory=dict, repr=False, compare=False)
    proposal_counts: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)
    purpose: str = ""

    @property
    def known_error(self) -> float | None:
        """Return the last validation error, also of a trial stopped early; None while it runs or when it failed."""
        return self.scores[-1].error if self.state in ("complete", "pruned") and self.scores else None

    @property
    def error(self) -> float | None:
        """Return the validation error after the last epoch, a fraction; None unless the trial is complete."""
        return self.scores[-1].error if self.state == "complete" and self.scores else None

    def is_repeated_by(self, error: float) -> bool:
        """Return whether a training from the same seed gave the same validation error, up to MAX_DIFFERENCE."""
        return self.error is not None and abs(error - self.error) <= MAX_DIFFERENCE

    def objectives(self, names: tuple[str, ...]) -> Vector | None:
        """Return the values to be minimized, in order; None unless the trial is complete."""
        return None if self.error is None else self.vector(names)

    def measured(self, names: tuple[str, ...]) -> Vector | None:
        """Return the values that training measured, in order, also of a trial stopped early; None of any other."""
        if self.known_error is None:
            return None
        return self.vector(tuple([name for name in names if not OBJECTIVES[name].exact]))

    def vector(self, names: tuple[str, ...]) -> Vector:
        """Return the values after the last of its scores, whatever its state."""
        return tuple([float(OBJECTIVES[name].of(self)) for name in names])


def to_attributes(record: TrialRecord, driver: int = 0) -> Attributes:
    """Return what the study keeps of a trial that begins, besides its choices. driver: the lease it runs under."""
    counts = {name: str(value) for name, value in record.cost.as_dict().items()}  # exact, however large
    kept: Attributes = {
        "genome": to_json(record.graph),
        "cost": counts,
        "fingerprint": record.fingerprint,
        "seed": record.seed,
        "ledger": dict(record.proposal_counts),
    }
    optional = {"parents": record.parents, "baseline": record.baseline, "purpose": record.purpose, "driver": driver}
    return kept | {name: value for name, value in optional.items() if value}


def to_result(record: TrialRecord) -> Attributes:
    """Return what the study keeps of a trial that ended: one attribute, "result"."""
    return {
        "scores": [asdict(score) for score in finite(record.scores)],
        "reason": str(record.reason),
        "detail": record.detail[:MAX_DETAIL],
        "seconds": record.seconds,
        "repeated": record.repeated,
    }


def finite(scores: tuple[Score, ...]) -> tuple[Score, ...]:
    """Return the scores without those that JSON cannot hold: the reason tells of the epoch that diverged."""
    return tuple(s for s in scores if all(abs(v) < float("inf") for v in (s.error, s.loss, s.train_loss)))


_SCORES = TypeAdapter(tuple[Score, ...])
_STATES: dict[str, State] = {"RUNNING": "running", "COMPLETE": "complete", "PRUNED": "pruned"}


class StoredTrial:
    """One of Optuna's trials, read as far as needed. Nothing in it is trusted: each reading may raise RunError."""

    def __init__(self, trial: "FrozenTrial") -> None:
        self._trial = trial
        if type(trial.number) is not int:  # SQLite keeps any type in any column
            raise RunError(f"the study is damaged: the number of a trial is {trial.number!r:.60}")

    @property
    def number(self) -> int:
        return self._trial.number

    @property
    def is_running(self) -> bool:
        return self._trial.state.name == "RUNNING"

    @property
    def is_finished(self) -> bool:
        return self._trial.state.is_finished()

    @property
    def is_baseline(self) -> bool:
        return "baseline" in self._trial.user_attrs

    @property
    def baseline(self) -> str:
        """Return the baseline's label; empty for a trial of the search."""
        return str(self._trial.user_attrs.get("baseline", ""))

    @property
    def fingerprint(self) -> str:
        return str(self._read("fingerprint"))

    @property
    def driver(self) -> int:
        """Return the lease under which it runs; 0 where the driver holds the run directory."""
        try:
            return int(self._trial.user_attrs.get("driver", 0))
        except (TypeError, ValueError) as problem:
            raise self._damaged(problem) from None

    @property
    def proposal_counts(self) -> Counter[str]:
        """Return proposals by outcome when it began."""
        try:
            return Counter({str(key): int(count) for key, count in self._read("ledger").items()})
        except (AttributeError, TypeError, ValueError) as problem:
            raise self._damaged(problem) from None

    @cached_property
    def record(self) -> TrialRecord:
        """Return the whole trial."""
        trial, attributes = self._trial, self._trial.user_attrs
        state = _STATES.get(trial.state.name, "failed")
        try:
            graph = from_json(self._read("genome"))
            result = attributes.get("result", {}) if state != "running" else {}  # a driver may die between two writes
            return TrialRecord(
                number=trial.number,
                choices=dict(trial.params),
                graph=graph,
                fingerprint=self.fingerprint,
                cost=cost(graph),
                seed=int(attributes["seed"]),
                scores=_SCORES.validate_python(result.get("scores", ())),
                state=state,
                reason=Reason(str(result.get("reason", ""))),
                detail=str(result.get("detail", "")),
                seconds=float(result.get("seconds", 0.0)),
                baseline=self.baseline,
                repeated=int(result.get("repeated", 0)),
                parents=tuple(map(int, attributes.get("parents", ()))),
                distributions={name: from_optuna(each) for name, each in trial.distributions.items()},
                proposal_counts=self.proposal_counts if attributes.get("ledger") else {},
                purpose=str(attributes.get("purpose", "")),
            )
        except RunError:
            raise
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError, NasError) as problem:
            raise self._damaged(problem) from None

    def _read(self, key: str) -> Any:
        try:
            return self._trial.user_attrs[key]
        except (AttributeError, KeyError) as problem:
            raise self._damaged(problem) from None

    def _damaged(self, problem: Exception) -> RunError:
        return RunError(f"trial {self._trial.number} of the study is damaged: {' '.join(repr(problem).split()):.200}")
