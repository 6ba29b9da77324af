"""The numbers behind a verdict: one-sided tests of paired contrasts, Holm's correction, power, and numbers of seeds.

Seeds are the sample: each gives one value of a contrast, all arms under the same seed. The images of the validation
split are a second source of chance, the same for all seeds, and are computed separately (`sampling_error`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, stdtr, stdtrit

from nas.statistics import mean_interval

Array = NDArray[np.float64]
MAX_SEEDS = 1_000
TARGET_POWER = 0.8


@dataclass(frozen=True)
class Estimate:
    """A contrast over seeds.

    mean, sd: of the values, one per seed. low, high: the interval of the mean at the requested level (Student's t).
    p: of the one-sided test that the mean exceeds the null; q: that it is below the margin. All except p and q are in
    the units of the values.
    """

    seeds: int
    mean: float
    sd: float
    low: float
    high: float
    p: float
    q: float

    @property
    def standardized(self) -> float:
        """Return the mean in standard deviations of the values (Cohen's d of paired values)."""
        return self.mean / self.sd if self.sd else 0.0 if not self.mean else inf * np.sign(self.mean)


def estimate(values: Sequence[float], null: float, margin: float, level: float = 0.95) -> Estimate:
    """Return the estimate of two or more values of a contrast, tested against `null` and `margin`."""
    n, mean, sd = len(values), float(np.mean(values)), float(np.std(values, ddof=1))
    low, high = mean_interval(values, level)
    return Estimate(n, mean, sd, low, high, _p_value(mean - null, sd, n), _p_value(margin - mean, sd, n))


def _p_value(excess: float, sd: float, n: int) -> float:
    """Return the chance of a mean this far above its bound when the true mean is at the bound."""
    if sd == 0:
        return 0.0 if excess > 0 else 1.0
    return float(stdtr(n - 1, -excess / sd * sqrt(n)))


def holm(values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number, step by step from the smallest (Holm 1979)."""
    adjusted, running = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        running = max(running, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = running
    return adjusted


def t_test_power(effect: float, sd: float, seeds: int, alpha: float) -> float:
    """Return the chance that a one-sided paired t test at `alpha` finds an effect of this size."""
    if seeds < 2:
        return 0.0
    if sd == 0:
        return float(effect > 0)
    critical = float(stdtrit(seeds - 1, 1 - alpha))
    return float(ndtr(effect / sd * sqrt(seeds) - critical * _sd_quantiles(seeds - 1)).mean())


@lru_cache(maxsize=1_024)
def _sd_quantiles(freedom: int) -> Array:
    """Return quantiles of an estimated standard deviation whose true value is 1; their mean is one over samples.

    scipy's noncentral t loses precision where the effect is many standard errors.
    """
    return np.asarray(np.sqrt(gammaincinv(freedom / 2, (np.arange(500) + 0.5) / 500) * 2 / freedom))


def joint_power(tests: Sequence[tuple[float, float]], seeds: int, alpha: float) -> float:
    """Return a lower bound of the chance that all tests of (effect, sd) succeed; an equivalence has two tests."""
    return max(0.0, 1 - sum(1 - t_test_power(effect, sd, seeds, alpha) for effect, sd in tests))


def seeds_for(tests: Sequence[tuple[float, float]], alpha: float, target: float = TARGET_POWER) -> int | None:
    """Return the lowest number of seeds with the joint power `target`; None where a thousand are too few."""
    low, high = 2, MAX_SEEDS
    if joint_power(tests, high, alpha) < target:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if joint_power(tests, middle, alpha) >= target else (middle + 1, high)
    return low


def sampling_error(values: Array) -> float:
    """Return the standard error of a contrast that comes from the images alone.

    values: (images,), per image the contrast of the arms' error rates over seeds. It is paired, because all arms
    classify the same images: arms that fail on the same images leave little.
    """
    return float(values.std(ddof=1) / sqrt(len(values)))
