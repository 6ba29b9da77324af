"""Samplers compared over sets and seeds, with 95 % intervals by percentile bootstrap.

Seeds are drawn again with replacement, within each set, the same ones for all samplers: what a seed makes easy or hard
for all of them is not taken for a difference between two.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Estimate = tuple[float, float, float]
"""A number and the ends of its interval."""
RESAMPLES = 10_000
PERCENT = (2.5, 97.5)


def resampled_means(values: Values, rng: np.random.Generator) -> Values:
    """Return the means of (samplers, seeds) over seeds drawn again: (RESAMPLES, samplers)."""
    seeds = values.shape[1]
    counts = rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES)
    return np.asarray(counts @ values.T / seeds)


def estimate(point: float, samples: Values) -> Estimate:
    """Return a number with its interval, from the same number of each resample."""
    low, high = np.percentile(samples, PERCENT)
    return float(point), float(low), float(high)


def mean_estimate(values: Values) -> Estimate:
    """Return the mean over seeds."""
    return estimate(values.mean(), resampled_means(values[None], np.random.default_rng(0)))


def ratio_estimate(sets: Sequence[Values], floors: Sequence[float]) -> Estimate:
    """Return the ratio of mean regrets of two samplers, as the geometric mean over sets.

    sets: regrets (2, seeds) of each. A mean below the floor of its set counts as the floor.
    """
    rng = np.random.default_rng(0)
    points = [_log_ratio(values.mean(axis=1)[None], floor) for values, floor in zip(sets, floors, strict=True)]
    samples = [_log_ratio(resampled_means(values, rng), floor) for values, floor in zip(sets, floors, strict=True)]
    return estimate(np.exp(np.mean(points)), np.exp(np.mean(samples, axis=0)))


def _log_ratio(means: Values, floor: float) -> Values:
    first, second = np.log(np.maximum(means, floor)).T
    return np.asarray(first - second)


def rank_estimates(sets: Sequence[Values], floors: Sequence[float]) -> list[Estimate]:
    """Return each sampler's mean rank over sets and seeds; 1 has the lowest regret, and equals share their ranks.

    sets: regrets (samplers, seeds) of each. A regret below the floor of its set counts as the floor.
    """
    from scipy.stats import rankdata

    rng = np.random.default_rng(0)
    ranks = [rankdata(np.maximum(values, floor), axis=0) for values, floor in zip(sets, floors, strict=True)]
    points = np.mean([each.mean(axis=1) for each in ranks], axis=0)
    samples = np.mean([resampled_means(each, rng) for each in ranks], axis=0)
    return [estimate(point, column) for point, column in zip(points, samples.T, strict=True)]
