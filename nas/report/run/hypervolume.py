"""Hypervolume of the Pareto front after each trial, and in random order for comparison."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.search.experiment import Experiment
from nas.search.objectives import Objective
from nas.search.pareto import Points, as_points, dominates, hypervolume, merge
from nas.search.trial import TrialRecord
from nas.statistics import falling_p
from nas.training.metrics import METRICS

SHUFFLES = 100
MAX_STEPS = 64
MARGIN = 1.1
MIN_TRIALS_OF_ORDER = 8  # of fewer nothing is said about their order

CHUNK = 256  # points compared with all others at once

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class SearchProgress:
    """Hypervolume as a share of the box from zero to the reference point, over complete trials.

    trials: the numbers of complete trials at which it was computed. found: in the actual order. mean, low, high: the
    same trials in random order (mean, 5th and 95th percentile of 100 shuffles), the chance ordering. All curves end at
    the same point. A search that learns finds its good networks late, so its curve is below the band; inside the band
    it did no better towards its end than at its beginning.
    seconds: training time of all workers together until then. reference: the point, one value per objective. p: of the
    permutation test that later trials are dominated by fewer others than in chance ordering; None of too few trials.
    """

    trials: NDArray[np.int64]
    found: Curve
    mean: Curve
    low: Curve
    high: Curve
    seconds: Curve
    reference: tuple[float, ...]
    p: float | None

    @property
    def window(self) -> tuple[float, float]:
        """The range to plot. The first trials gain most of the volume, so it starts after a tenth of the trials."""
        early = len(self.trials) // 10
        top = float(self.found[-1])
        span = max(top - min(float(self.found[early]), float(self.low[early])), 1e-3)
        return top - 1.08 * span, top + 0.05 * span


def reference_point(experiment: Experiment, classes: int, points: Points) -> tuple[float, ...]:
    """Return the reference point, known before the search wherever that is possible.

    Error: that of guessing, such as 1 - 1 / classes. An objective with an upper limit in the budget: the limit. A
    measured one with an upper bound: the bound. Any other: 1.1 times the worst value seen.
    """
    worst = points[np.isfinite(points).all(axis=1)].max(axis=0, initial=0.0)
    return tuple(
        _reference(experiment, objective, classes, float(value) * MARGIN)
        for objective, value in zip(experiment.objective_entries, worst, strict=True)
    )


def _reference(experiment: Experiment, objective: Objective, classes: int, otherwise: float) -> float:
    if objective.name == "error":
        return METRICS[experiment.metric].of_guessing(classes)
    limit = experiment.budget.get(objective.name)
    bound = limit.max if limit else None if objective.exact else objective.upper_bound
    return float(bound) if bound else otherwise or 1.0


def search_progress(experiment: Experiment, classes: int, records: tuple[TrialRecord, ...]) -> SearchProgress | None:
    """Return hypervolume over the complete trials; None while there are none."""
    rows = [(record.objectives(experiment.objectives), record.seconds)
            for record in sorted(records, key=lambda r: r.number)]  # fmt: skip
    known = [(row, seconds) for row, seconds in rows if row is not None and np.isfinite(row).all()]
    if not known:
        return None
    points = as_points([row for row, _ in known])
    reference = reference_point(experiment, classes, points)
    shares = points / reference
    steps = volume_steps(len(points))
    generator = np.random.default_rng(experiment.seed)
    shuffled = np.array([volume_curve(generator.permutation(shares), steps) for _ in range(SHUFFLES)])
    low, high = np.percentile(shuffled, (5, 95), axis=0)
    spent = np.cumsum([seconds for _, seconds in known])[steps - 1]
    found = volume_curve(shares, steps)
    p = falling_p(dominated_by(points), seed=experiment.seed) if len(points) >= MIN_TRIALS_OF_ORDER else None
    return SearchProgress(steps, found, shuffled.mean(axis=0), low, high, spent, reference, p)


def dominated_by(points: Points) -> list[int]:
    """Return for each point how many others dominate it: of several objectives, what its rank is for one."""
    parts = [dominates(points, points[start : start + CHUNK]).sum(axis=0) for start in range(0, len(points), CHUNK)]
    return [int(count) for part in parts for count in part]


def volume_steps(count: int) -> NDArray[np.int64]:
    """Return at most 64 numbers of points at which to compute the hypervolume."""
    return np.unique(np.linspace(1, count, MAX_STEPS).round().astype(np.int64))


def volume_curve(shares: Points, steps: NDArray[np.int64]) -> Curve:
    """Return the hypervolume of the first points, for each number of steps, as a share of the unit box."""
    front, before, volumes = np.empty((0, shares.shape[1])), 0, []
    for step in steps.tolist():
        front = merge(front, shares[before:step])
        volumes.append(hypervolume(front, (1.0,) * shares.shape[1]))
        before = step
    return np.array(volumes)
