"""The one codec between a trial and what Optuna keeps of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import FiniteFloat, TypeAdapter

from nas.errors import NasError, RunError
from nas.genome.cost import Cost, cost
from nas.genome.genome_json import from_json
from nas.genome.trial import Choice
from nas.search.distributions import from_optuna
from nas.search.trial import Attributes, Reason, RecipeValue, State, TrialRecord, damaged
from nas.training.score import Score

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

_UNRECORDED = {"balanced_error", "top5_error", "confusion", "misclassified"}
MAX_DETAIL = 2_000  # characters kept of what a failure said


def to_attributes(record: TrialRecord, driver: int = 0) -> Attributes:
    """Return what the study keeps of a trial that begins, besides its choices. driver: the lease it runs under."""
    counts = {name: str(value) for name, value in record.cost.as_dict().items()}  # exact, however large
    kept: Attributes = {
        "genome": record.genome,
        "cost": counts,
        "fingerprint": record.fingerprint,
        "seed": record.seed,
        "ledger": dict(record.proposal_counts),
    }
    optional = {"parents": record.parents, "baseline": record.baseline, "purpose": record.purpose, "driver": driver}
    optional |= {
        "plain_genome": record.plain_genome,
        "predicted": dict(record.predicted),
        "recipe": dict(record.recipe),
    }
    return kept | {name: value for name, value in optional.items() if value}


def to_result(record: TrialRecord) -> Attributes:
    """Return what the study keeps of a trial that ended: one attribute, "result".

    Which validation images a complete trial misclassifies is kept with its last score: all drivers of a study have it.
    """
    known = finite(record.scores)
    scores = [_recorded(score) for score in known]
    if record.misclassified and known[-1:] == record.scores[-1:]:
        scores[-1]["misclassified"] = record.misclassified
    return {
        "scores": scores,
        "reason": str(record.reason),
        "detail": record.detail[:MAX_DETAIL],
        "seconds": record.seconds,
        "repeated": record.repeated,
    }


def _recorded(score: Score) -> Attributes:
    """Return an epoch as the study keeps it; the confusion matrix of a trial of the front is in a file."""
    return {name: value for name, value in vars(score).items() if name not in _UNRECORDED}


def finite(scores: tuple[Score, ...]) -> tuple[Score, ...]:
    """Return the scores without those that JSON cannot hold: the reason tells of the epoch that diverged."""
    return tuple(s for s in scores if all(abs(v) < float("inf") for v in (s.error, s.loss, s.train_loss)))


_PREDICTED = TypeAdapter(dict[str, FiniteFloat])
_RECIPE = TypeAdapter(dict[str, RecipeValue])
_SCORES = TypeAdapter(tuple[Score, ...])
_STATES: dict[str, State] = {"RUNNING": "running", "COMPLETE": "complete", "PRUNED": "pruned"}


class StoredTrial:
    """A trial of a study, read as far as needed. Nothing in it is trusted: each reading may raise RunError.

    state: Optuna's name of it. attributes: what was recorded of it. choices, distributions: Optuna's, or ours.
    """

    def __init__(
        self,
        number: object,
        state: str,
        attributes: Attributes,
        choices: Mapping[str, Choice],
        distributions: Mapping[str, object],
    ) -> None:
        if type(number) is not int:  # SQLite keeps any type in any column
            raise RunError(f"the study is damaged: the number of a trial is {number!r:.60}")
        self.number, self.state = number, state
        self._attributes, self._choices, self._distributions = attributes, choices, distributions

    @classmethod
    def of(cls, trial: "FrozenTrial") -> "StoredTrial":
        """Return one of Optuna's trials."""
        return cls(trial.number, trial.state.name, trial.user_attrs, trial.params, trial.distributions)

    @property
    def is_waiting(self) -> bool:
        return self.state == "WAITING"

    @property
    def is_foreign(self) -> bool:
        """Return whether another program made it, or asks for it: it has no network."""
        return self.is_waiting or not {"genome", "fingerprint"} & set(self._attributes)

    @property
    def refusal(self) -> str:
        """Return why it was not trained although another program asked for it; "" for any other."""
        return str(self._attributes.get("refused", "")) if self.is_foreign else ""

    @property
    def is_running(self) -> bool:
        return self.state == "RUNNING"

    @property
    def is_finished(self) -> bool:
        return self.state in ("COMPLETE", "PRUNED", "FAIL")

    @property
    def is_baseline(self) -> bool:
        return "baseline" in self._attributes

    @property
    def baseline(self) -> str:
        """Return the baseline's label; empty for a trial of the search."""
        return str(self._attributes.get("baseline", ""))

    @property
    def fingerprint(self) -> str:
        return str(self._read("fingerprint"))

    @property
    def driver(self) -> int:
        """Return the lease under which it runs; 0 where the driver holds the run directory."""
        try:
            return int(self._attributes.get("driver", 0))
        except (TypeError, ValueError) as problem:
            raise damaged(self.number, problem) from None

    @property
    def proposal_counts(self) -> Counter[str]:
        """Return proposals by outcome when it began."""
        try:
            return Counter({str(key): int(count) for key, count in self._read("ledger").items()})
        except (AttributeError, OverflowError, TypeError, ValueError) as problem:
            raise damaged(self.number, problem) from None

    @cached_property
    def record(self) -> TrialRecord:
        """Return the whole trial, its genome unread."""
        attributes, state = self._attributes, _STATES.get(self.state, "failed")
        try:
            result = attributes.get("result", {}) if state != "running" else {}  # a driver may die between two writes
            genome = str(self._read("genome"))
            return TrialRecord(
                number=self.number,
                choices=dict(self._choices),
                genome=genome,
                fingerprint=self.fingerprint,
                cost=_stored_cost(attributes.get("cost")) or cost(from_json(genome)),
                seed=int(attributes["seed"]),
                scores=_SCORES.validate_python(result.get("scores", ())),
                state=state,
                reason=Reason(str(result.get("reason", ""))),
                detail=str(result.get("detail", "")),
                seconds=float(result.get("seconds", 0.0)),
                baseline=self.baseline,
                repeated=int(result.get("repeated", 0)),
                parents=tuple(map(int, attributes.get("parents", ()))),
                distributions={name: from_optuna(each) for name, each in self._distributions.items()},
                proposal_counts=self.proposal_counts if attributes.get("ledger") else {},
                purpose=str(attributes.get("purpose", "")),
                plain_genome=str(attributes.get("plain_genome", "")),
                predicted=_PREDICTED.validate_python(attributes.get("predicted", {})),
                recipe=_RECIPE.validate_python(attributes.get("recipe", {})),
            )
        except RunError:
            raise
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError, NasError) as problem:
            raise damaged(self.number, problem) from None

    def _read(self, key: str) -> Any:
        try:
            return self._attributes[key]
        except (AttributeError, KeyError) as problem:
            raise damaged(self.number, problem) from None


def _stored_cost(counts: object) -> Cost | None:
    """Return the recorded counts, or None where one is not recorded. Raises ValueError for one that is no count."""
    names = [spec.name for spec in fields(Cost)]
    if not isinstance(counts, dict) or not all(name in counts for name in names):
        return None
    found = [int(counts[name]) for name in names]
    if min(found) < 0:
        raise ValueError(f"a count below 0 in {counts}")
    return Cost(*found)
