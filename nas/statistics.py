"""The intervals of means, shares and their differences, and the test of an order, for all rooms alike."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, fmean, stdev, variance

Interval = tuple[float, float]


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Return the two-sided interval of a mean by Student's t; of a single value, that value twice."""
    if len(values) < 2:
        return values[0], values[0]
    half = _student(len(values) - 1, level) * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def mean_share_interval(shares: Sequence[float], level: float = 0.95) -> Interval:
    """Return the interval of a mean of shares as `mean_interval` does, within 0 and 1."""
    low, high = mean_interval(shares, level)
    return max(0.0, low), min(1.0, high)


def pooled_interval(groups: Sequence[Sequence[float]], level: float = 0.95) -> Interval | None:
    """Return the interval of the mean of the second group less that of the first, by Student's t.

    The standard deviation is that of all groups, further ones included, so that two or three values in each suffice.
    None where no group has two values.
    """
    freedom = sum(len(values) - 1 for values in groups)
    if not freedom:
        return None
    spread = sqrt(sum((len(values) - 1) * variance(values) for values in groups if len(values) > 1) / freedom)
    first, second = groups[:2]
    half = _student(freedom, level) * spread * sqrt(1 / len(first) + 1 / len(second))
    difference = fmean(second) - fmean(first)
    return difference - half, difference + half


def share_interval(count: int, total: int, level: float = 0.95) -> Interval:
    """Return the interval of a share, `count` of `total` (Wilson 1927)."""
    z = _normal(level)
    middle = (count + z * z / 2) / (total + z * z)
    half = z * sqrt(count * (total - count) / total + z * z / 4) / (total + z * z)
    return max(0.0, middle - half), min(1.0, middle + half)


def unpaired_interval(first: int, second: int, total: int, level: float = 0.95) -> Interval:
    """Return the interval of the second share less the first, each a count of `total` independent cases.

    A success and a failure are added to each, so that it also holds near 0 and 1 (Agresti & Caffo 2000).
    """
    shares = [(count + 1) / (total + 2) for count in (first, second)]
    half = _normal(level) * sqrt(sum(share * (1 - share) for share in shares) / (total + 2))
    return shares[1] - shares[0] - half, shares[1] - shares[0] + half


def paired_interval(first: int, second: int, total: int, level: float = 0.95) -> Interval:
    """Return the interval of the second share less the first, both counted over the same `total` cases.

    first, second: cases that count in the first alone, and in the second alone. One is added to each, so that it also
    holds for few of them (Bonett & Price 2012).
    """
    cases, difference, either = total + 2, second - first, first + second + 2
    half = _normal(level) * sqrt(either - difference**2 / cases) / cases
    return difference / cases - half, difference / cases + half


def falling_p(values: Sequence[float], orders: int = 999, seed: int = 0) -> float:
    """Return the chance that a random order of the values falls as much as this one: a permutation test, one-sided.

    How much an order falls is its rank correlation with the position; of equal values each has the mean rank.
    """
    import numpy as np
    from scipy.stats import rankdata

    ranks = rankdata(values)
    positions = np.arange(len(values)) - (len(values) - 1) / 2
    generator = np.random.default_rng(seed)
    actual = float(positions @ ranks)
    random = [float(positions @ generator.permutation(ranks)) for _ in range(orders)]
    return (1 + sum(each <= actual + 1e-9 for each in random)) / (1 + orders)


def holm(values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number, step by step from the smallest (Holm 1979)."""
    adjusted, running = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        running = max(running, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = running
    return adjusted


def _normal(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _student(freedom: int, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))
