"""The numbers behind a verdict: one-sided tests of paired contrasts, Holm's correction, power and seeds.

Seeds are the sample: each gives one value of a contrast, all arms under the same seed. The images of the validation
split are another source of chance, the same for all seeds, and are kept apart (`sampling_error`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, stdtr, stdtrit

Array = NDArray[np.float64]
MAX_SEEDS = 1_000
POWER = 0.8


@dataclass(frozen=True)
class Estimate:
    """A contrast over seeds.

    mean, sd: of the values, one a seed. low, high: the interval of the mean at the level asked for (Student's t).
    p: of the one-sided test that the mean exceeds the null; q: that it falls short of the margin. All in the units of
    the values but p and q.
    """

    seeds: int
    mean: float
    sd: float
    low: float
    high: float
    p: float
    q: float

    @property
    def standardised(self) -> float:
        """The mean in standard deviations of its values (Cohen's d of paired values)."""
        return self.mean / self.sd if self.sd else 0.0 if not self.mean else inf * np.sign(self.mean)


def estimate(values: Sequence[float], null: float, margin: float, level: float = 0.95) -> Estimate:
    """A contrast's values against `null` and `margin`; two or more values."""
    n, mean, sd = len(values), float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(stdtrit(n - 1, (1 + level) / 2)) * sd / sqrt(n)
    return Estimate(n, mean, sd, mean - half, mean + half, _tail(mean - null, sd, n), _tail(margin - mean, sd, n))


def _tail(excess: float, sd: float, n: int) -> float:
    """P of a mean this far above its bound if it were at the bound."""
    if sd == 0:
        return 0.0 if excess > 0 else 1.0
    return float(stdtr(n - 1, -excess / sd * sqrt(n)))


def holm(values: Sequence[float]) -> list[float]:
    """P values adjusted for their number, step by step from the least (Holm 1979)."""
    adjusted, running = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        running = max(running, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = running
    return adjusted


def power(effect: float, sd: float, seeds: int, alpha: float) -> float:
    """The chance that a one-sided paired t test at `alpha` finds an effect of this size."""
    if seeds < 2:
        return 0.0
    if sd == 0:
        return float(effect > 0)
    critical = float(stdtrit(seeds - 1, 1 - alpha))
    return float(ndtr(effect / sd * sqrt(seeds) - critical * _deviations(seeds - 1)).mean())


@lru_cache(maxsize=1_024)
def _deviations(freedom: int) -> Array:
    """Quantiles of an estimated deviation whose true value is 1: a mean over them is one over samples.

    scipy's noncentral t loses its digits where the effect is many standard errors.
    """
    return np.asarray(np.sqrt(gammaincinv(freedom / 2, (np.arange(500) + 0.5) / 500) * 2 / freedom))


def joint_power(tests: Sequence[tuple[float, float]], seeds: int, alpha: float) -> float:
    """The chance, at least, that all tests of (effect, sd) find theirs; of an equivalence the two are its sides."""
    return max(0.0, 1 - sum(1 - power(effect, sd, seeds, alpha) for effect, sd in tests))


def seeds_for(tests: Sequence[tuple[float, float]], alpha: float, wanted: float = POWER) -> int | None:
    """The fewest seeds with the joint power wanted; None where a thousand are too few."""
    low, high = 2, MAX_SEEDS
    if joint_power(tests, high, alpha) < wanted:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if joint_power(tests, middle, alpha) >= wanted else (middle + 1, high)
    return low


def sampling_error(values: Array) -> float:
    """The standard error of a contrast that comes from the images alone.

    values: (images,), for each image the contrast of its arms' mean wrongness over seeds. Paired, as the arms are
    judged on the same images: arms that fail on the same ones leave little.
    """
    return float(values.std(ddof=1) / sqrt(len(values)))
