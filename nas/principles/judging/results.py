"""What trainings said of a principle's arms, and the values of its contrasts, one a seed."""

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
    """One training. error: in points. train_loss, early_loss: in nats. wrong: (images,), or None where not kept."""

    error: float
    train_loss: float
    early_loss: float
    scores: tuple[Score, ...] = ()
    wrong: NDArray[np.bool_] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, scores: tuple[Score, ...], wrong: NDArray[np.bool_] | None = None) -> "Result":
        """From the scores of a training that came to its end."""
        early = scores[ceil(len(scores) / 5) - 1]
        return cls(100 * scores[-1].error, scores[-1].train_loss, early.train_loss, scores, wrong)


Results = Mapping[str, Sequence[Result | None]]
"""Of one principle: by arm, a result for each seed in order; None where a training failed or is still to come."""


def values(bound: Bound, results: Results, seeds: int) -> list[float]:
    """The contrast under each seed, the first `seeds` at most, where every arm has a result."""
    rows = zip(*(results[arm][:seeds] for arm in bound.weights), strict=True)
    return [_contrast(bound, whole) for row in rows if len(whole := [each for each in row if each]) == len(row)]


def _contrast(bound: Bound, row: Sequence[Result]) -> float:
    measured = [float(getattr(result, bound.metric)) for result in row]
    return sum(weight * value for weight, value in zip(bound.weights.values(), measured, strict=True))


def images_error(bound: Bound, results: Results, seeds: int) -> float | None:
    """The sampling error of a contrast of errors, in points; None where the answers were not kept."""
    if bound.metric != "error":
        return None
    total: NDArray[np.float64] | float = 0.0
    for arm, weight in bound.weights.items():
        kept = [result.wrong for result in results[arm][:seeds] if result and result.wrong is not None]
        if not kept:
            return None
        total = total + weight * np.mean(kept, axis=0)
    return 100 * sampling_error(np.asarray(total))
