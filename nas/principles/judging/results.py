"""Results of the trainings of a principle's arms, and the values of its contrasts, one per seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import NDArray

from nas.principles.claims.principle import Bound
from nas.principles.judging.statistics import sampling_error
from nas.training.score import Score


@dataclass(frozen=True)
class Result:
    """One training. error: in points. train_loss, early_loss: in nats. misclassified: (images,), or None if unknown."""

    error: float
    train_loss: float
    early_loss: float
    scores: tuple[Score, ...] = ()
    misclassified: NDArray[np.bool_] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, scores: tuple[Score, ...], misclassified: NDArray[np.bool_] | None = None) -> "Result":
        """Return the result of the scores of a complete training."""
        early = scores[ceil(len(scores) / 5) - 1]
        return cls(100 * scores[-1].error, scores[-1].train_loss, early.train_loss, scores, misclassified)


Results = Mapping[str, Sequence[Result | None]]
"""Of one principle: by arm, the result of each seed in order; None where a training failed or is missing."""


def contrast_values(bound: Bound, results: Results, seeds: int) -> list[float]:
    """Return the contrast under each of the first `seeds` seeds for which every arm has a result."""
    rows = zip(*(results[arm][:seeds] for arm in bound.weights), strict=True)
    return [_contrast(bound, complete) for row in rows if len(complete := [r for r in row if r]) == len(row)]


def _contrast(bound: Bound, row: Sequence[Result]) -> float:
    measured = [float(getattr(result, bound.metric)) for result in row]
    return sum(weight * value for weight, value in zip(bound.weights.values(), measured, strict=True))


def images_error(bound: Bound, results: Results, seeds: int) -> float | None:
    """Return the sampling error of a contrast of errors, in points; None where misclassified images are unknown."""
    if bound.metric != "error":
        return None
    total: NDArray[np.float64] | float = 0.0
    for arm, weight in bound.weights.items():
        masks = [r.misclassified for r in results[arm][:seeds] if r and r.misclassified is not None]
        if not masks:
            return None
        total = total + weight * np.mean(masks, axis=0)
    return 100 * sampling_error(np.asarray(total))
