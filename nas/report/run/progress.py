"""How the search advanced: hypervolume after each trial, beside what luck of order alone gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.search.experiment import Experiment
from nas.search.pareto import Points, as_points, hypervolume, merge
from nas.search.trial import TrialRecord

SHUFFLES = 100
MAX_STEPS = 64
MARGIN = 1.1

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Progress:
    """Hypervolume as a share of the box from zero to the reference point, after so many complete trials.

    trials: the counts at which it was taken. found: in the order the search ran. mean, low, high: the same trials
    in random order (mean, 5th and 95th percentile of 100 shuffles), which is what luck of order alone gives. All
    curves end at the same point. A search that learns finds its good networks late, so it runs below the band; one
    that runs inside it did no better towards its end than at its beginning.
    seconds: training time of all workers together until then. reference: the point, one value an objective.
    """

    trials: NDArray[np.int64]
    found: Curve
    mean: Curve
    low: Curve
    high: Curve
    seconds: Curve
    reference: tuple[float, ...]

    @property
    def window(self) -> tuple[float, float]:
        """The part of the scale worth showing. The first trials gain most of the volume, so it opens after a tenth."""
        early = len(self.trials) // 10
        top = float(self.found[-1])
        span = max(top - min(float(self.found[early]), float(self.low[early])), 1e-3)
        return top - 1.08 * span, top + 0.05 * span


def reference_point(experiment: Experiment, classes: int, points: Points) -> tuple[float, ...]:
    """The worst values that still count, fixed before the search wherever that is possible.

    Error: that of guessing, 1 - 1 / classes. A quantity with an upper limit in the budget: the limit. Any other:
    1.1 times the worst value seen.
    """
    worst = points[np.isfinite(points).all(axis=1)].max(axis=0, initial=0.0)
    return tuple(
        _reference(experiment, name, classes, float(value) * MARGIN)
        for name, value in zip(experiment.objectives, worst, strict=True)
    )


def _reference(experiment: Experiment, name: str, classes: int, otherwise: float) -> float:
    if name == "error":
        return 1 - 1 / classes if classes > 1 else 1.0
    limit = experiment.budget.get(name)
    return float(limit.max) if limit is not None and limit.max else otherwise or 1.0


def progress(experiment: Experiment, classes: int, records: tuple[TrialRecord, ...]) -> Progress | None:
    """Hypervolume over the complete trials; None while there are none."""
    rows = [(record.objectives(experiment.objectives), record.seconds)
            for record in sorted(records, key=lambda r: r.number)]  # fmt: skip
    known = [(row, seconds) for row, seconds in rows if row is not None and np.isfinite(row).all()]
    if not known:
        return None
    points = as_points([row for row, _ in known])
    reference = reference_point(experiment, classes, points)
    shares = points / reference
    steps = np.unique(np.linspace(1, len(points), MAX_STEPS).round().astype(np.int64))
    generator = np.random.default_rng(experiment.seed)
    lucky = np.array([curve(generator.permutation(shares), steps) for _ in range(SHUFFLES)])
    low, high = np.percentile(lucky, (5, 95), axis=0)
    spent = np.cumsum([seconds for _, seconds in known])[steps - 1]
    return Progress(steps, curve(shares, steps), lucky.mean(axis=0), low, high, spent, reference)


def curve(shares: Points, steps: NDArray[np.int64]) -> Curve:
    """Hypervolume of the first so many points, as a share of the unit box."""
    front, before, volumes = np.empty((0, shares.shape[1])), 0, []
    for step in steps.tolist():
        front = merge(front, shares[before:step])
        volumes.append(hypervolume(front, (1.0,) * shares.shape[1]))
        before = step
    return np.array(volumes)
