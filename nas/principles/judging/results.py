"""Results of the trainings of a principle's arms, and the values of its contrasts, one per setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, log

from nas.principles.claims.principle import Bound, Metric
from nas.training.score import Score

FLOOR = 0.01  # points: the error of a network without one, an image of 10,000


@dataclass(frozen=True)
class Result:
    """One training. error: in percent of the images. train_loss, early_loss: in nats. scores: one per epoch."""

    error: float
    train_loss: float
    early_loss: float
    scores: tuple[Score, ...] = ()

    @classmethod
    def of(cls, scores: tuple[Score, ...]) -> "Result":
        """Return the result of the scores of a complete training."""
        early = scores[ceil(len(scores) / 5) - 1]
        return cls(100 * scores[-1].error, scores[-1].train_loss, early.train_loss, scores)

    def handicapped(self, percent: float) -> "Result":
        """Return the result with percent of its error added to it, logarithmic ones."""
        return replace(self, error=self.error * exp(percent / 100))

    def measured(self, metric: Metric) -> float:
        """Return a loss in nats, or 100 times the logarithm of the error, differences of which are percent of it.

        So that from A to B and from B to A are one number with two signs; for small differences it is the percentage.
        """
        return 100 * log(max(self.error, FLOOR)) if metric == "error" else float(getattr(self, metric))


Results = Mapping[str, Sequence[Result | None]]
"""Of one principle: by arm, the result in each setting in order; None where a training failed or is missing."""


def contrast_values(bound: Bound, results: Results) -> list[float | None]:
    """Return the contrast in each setting, in `UNITS`; None where an arm has no result."""
    rows = zip(*(results[arm] for arm in bound.weights), strict=True)
    return [_contrast(bound, row) for row in rows]


def _contrast(bound: Bound, row: Sequence[Result | None]) -> float | None:
    measured = [result.measured(bound.metric) for result in row if result]
    if len(measured) < len(row):
        return None
    return sum(weight * value for weight, value in zip(bound.weights.values(), measured, strict=True))
