"""The one interval of a mean, for finalists, principles and benchmarks alike."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the two-sided interval of a mean by Student's t; of a single value, that value twice."""
    if len(values) < 2:
        return values[0], values[0]
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, (1 + level) / 2)) * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half
