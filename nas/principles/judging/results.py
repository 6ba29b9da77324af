"""Results of the trainings of a principle's arms, and the values of its contrasts, one per setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from nas.principles.claims.principle import Bound
from nas.training.score import Score


@dataclass(frozen=True)
class Result:
    """One training. error: in points. train_loss, early_loss: in nats. scores: one per epoch."""

    error: float
    train_loss: float
    early_loss: float
    scores: tuple[Score, ...] = ()

    @classmethod
    def of(cls, scores: tuple[Score, ...]) -> "Result":
        """Return the result of the scores of a complete training."""
        early = scores[ceil(len(scores) / 5) - 1]
        return cls(100 * scores[-1].error, scores[-1].train_loss, early.train_loss, scores)

    def handicapped(self, points: float) -> "Result":
        """Return the result with points added to its error."""
        return replace(self, error=self.error + points)


Results = Mapping[str, Sequence[Result | None]]
"""Of one principle: by arm, the result in each setting in order; None where a training failed or is missing."""


def contrast_values(bound: Bound, results: Results) -> list[float | None]:
    """Return the contrast in each setting; None where an arm has no result."""
    rows = zip(*(results[arm] for arm in bound.weights), strict=True)
    return [_contrast(bound, row) for row in rows]


def _contrast(bound: Bound, row: Sequence[Result | None]) -> float | None:
    measured = [float(getattr(result, bound.metric)) for result in row if result]
    if len(measured) < len(row):
        return None
    return sum(weight * value for weight, value in zip(bound.weights.values(), measured, strict=True))
