"""The numbers behind a verdict: intervals of means over settings that hold together, their variances moderated.

Settings are the sample: each gives one value of a contrast. All intervals of a study hold together at one level
(Bonferroni), so that what is read off them is wrong in at most that share of studies. The variances of the contrasts
are shrunk towards what is usual among them (Smyth 2004, the moderated t of limma): 12 values say little of a variance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, inf, log, sqrt

import numpy as np
from scipy.special import digamma, polygamma, stdtrit

MIN_CONTRASTS = 3  # from which a usual variance is estimated
MAX_SETTINGS = 10_000
NEWTON_STEPS = 50


@dataclass(frozen=True)
class UsualVariance:
    """The variance that is usual among contrasts, and the degrees of freedom that this knowledge is worth."""

    value: float = 1.0
    freedom: float = 0.0


def usual_variance(variances: Sequence[float], freedoms: Sequence[int]) -> UsualVariance:
    """Return what is usual among sample variances, by the moments of their logarithms (Smyth 2004, section 6.2).

    It is worth at most as many degrees of freedom as the variances have themselves, so that none is outvoted, and none
    for fewer than MIN_CONTRASTS variances above 0.
    """
    known = [(variance, freedom) for variance, freedom in zip(variances, freedoms, strict=True) if variance > 0]
    if len(known) < MIN_CONTRASTS:
        return UsualVariance()
    half = np.array([freedom for _, freedom in known]) / 2
    logs = np.log([variance for variance, _ in known]) - digamma(half) + np.log(half)
    middle, excess = float(logs.mean()), float(logs.var(ddof=1) - polygamma(1, half).mean())
    most = 2.0 * float(half.min())
    if excess <= 0:  # they differ by no more than chance
        return UsualVariance(exp(middle), most)
    freedom = 2 * _inverse_trigamma(excess)
    return UsualVariance(exp(middle + float(digamma(freedom / 2)) - log(freedom / 2)), min(most, freedom))


def _inverse_trigamma(value: float) -> float:
    """Return where the trigamma function has a value, by Newton's method (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(NEWTON_STEPS):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-10 * x:
            break
    return x


@dataclass(frozen=True)
class Estimate:
    """The mean of a contrast over settings.

    mean: of the values, one per setting. sd: their standard deviation, how much the effect differs between settings,
    chance included. low, high: the interval of the mean that holds together with all others of the study. width: its
    half width at a single setting; that of n settings is smaller by the root of n.
    """

    settings: int
    mean: float
    sd: float
    low: float
    high: float
    width: float


def estimate(values: Sequence[float], usual: UsualVariance, weight_sum: float, alpha: float) -> Estimate:
    """Return the estimate of two or more values of a contrast.

    usual: in units of the variance of one arm, of which the contrast has `weight_sum`. alpha: of this interval,
    both sides together.
    """
    n, variance = len(values), float(np.var(values, ddof=1))
    freedom = n - 1 + usual.freedom
    moderated = ((n - 1) * variance + usual.freedom * usual.value * weight_sum) / freedom
    mean, width = float(np.mean(values)), critical_t(freedom, alpha) * sqrt(moderated)
    half = width / sqrt(n)
    return Estimate(n, mean, sqrt(variance), mean - half, mean + half, width)


def critical_t(freedom: float, alpha: float) -> float:
    """Return the quantile of Student's t that leaves half of alpha above it."""
    return float(stdtrit(freedom, 1 - alpha / 2))


def settings_for(width: float, half: float) -> int:
    """Return how many settings narrow an interval of this width at one setting to a half width, to MAX_SETTINGS."""
    return MAX_SETTINGS if half <= 0 or width == inf else min(MAX_SETTINGS, max(2, ceil((width / half) ** 2)))
