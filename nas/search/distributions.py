"""Distributions of a choice: our own form of Optuna's, so that drawing a network does not import it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import exp, isfinite, log
from random import Random
from typing import TYPE_CHECKING, cast

from nas.genome.trial import Choice

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEVELS = 64  # values taken of a range without a step


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from `low` to `high`, the last that steps reach; with `log` drawn uniformly by their logarithm.

    Raises ValueError for an empty range, and with `log` for a step or numbers below 1.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        if self.low > self.high or self.step < 1:
            raise ValueError(f"no whole number from {self.low} to {self.high} in steps of {self.step}")
        if self.log and (self.step != 1 or self.low < 1):
            raise ValueError(f"log=True takes whole numbers from 1 on and no step, not {self.low} and {self.step}")
        object.__setattr__(self, "high", self.high - (self.high - self.low) % self.step)

    @property
    def values(self) -> Sequence[int]:
        """Return the values, in order."""
        return range(self.low, self.high + 1, self.step)

    def allows(self, value: object) -> bool:
        """Return whether a value is one of these; True is not 1 here."""
        return type(value) is int and self.low <= value <= self.high and (value - self.low) % self.step == 0

    def draw(self, rng: Random) -> int:
        """Return a number at random; with `log` each has the weight of its own half unit on both sides."""
        if not self.log:
            return rng.choice(self.values)
        drawn = exp(rng.uniform(log(self.low - 0.5), log(self.high + 0.5)))
        return min(max(round(drawn), self.low), self.high)


@dataclass(frozen=True)
class FloatRange:
    """Numbers from `low` to `high`; with a step, `high` is the last that it reaches, as in Optuna.

    With `log` they are drawn uniformly by their logarithm. Raises ValueError for an empty range, or bounds that are not
    finite, and with `log` for a step or a lower bound of 0 or less.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        finite = all(isfinite(number) for number in (self.low, self.high, self.step or 0))
        if not finite or self.low > self.high or (self.step is not None and self.step <= 0):
            raise ValueError(f"no number from {self.low} to {self.high} in steps of {self.step}")
        if self.log and (self.step is not None or self.low <= 0):
            raise ValueError(f"log=True takes numbers above 0 and no step, not {self.low} and {self.step}")
        object.__setattr__(self, "high", float(_last(self.low, self.high, self.step)))
        object.__setattr__(self, "low", float(self.low))

    @property
    def values(self) -> Sequence[float]:
        """Return the values, in order; LEVELS even ones, by their logarithm with `log`, where there is no step."""
        span = self.high - self.low
        if self.step is not None:
            return [min(self.low + i * self.step, self.high) for i in range(round(span / self.step) + 1)]
        if self.log and span:
            ratio = self.high / self.low
            return [self.low, *(self.low * ratio ** (i / (LEVELS - 1)) for i in range(1, LEVELS - 1)), self.high]
        return [self.low + span * i / (LEVELS - 1) for i in range(LEVELS)] if span else [self.low]

    def allows(self, value: object) -> bool:
        """Return whether a value lies in the range, on a step if there is one."""
        if type(value) is not float or not self.low <= value <= self.high:
            return False
        place = (value - self.low) / self.step if self.step else 0.0
        return abs(place - round(place)) < 1e-8  # Optuna's tolerance

    def draw(self, rng: Random) -> float:
        """Return a number at random."""
        if self.step is not None:
            return rng.choice(self.values)
        if self.log:
            return min(max(exp(rng.uniform(log(self.low), log(self.high))), self.low), self.high)
        return rng.uniform(self.low, self.high)


def _last(low: float, high: float, step: float | None) -> float:
    """Return the last number that steps from `low` reach, in decimals as Optuna counts them.

    Optuna counts again when it reads a range, and may find a step less; this is the number at which it stays.
    """
    if step is None:
        return high
    first, width = Decimal(str(low)), Decimal(str(step))
    while (last := float((Decimal(str(high)) - first) // width * width + first)) < high:
        high = last
    return high


@dataclass(frozen=True)
class OneOf:
    """One of a list. Raises ValueError for an empty one."""

    values: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("no value to choose from")

    def allows(self, value: object) -> bool:
        """Return whether a value is in the list; True is not 1 here."""
        return any(type(value) is type(option) and value == option for option in self.values)

    def draw(self, rng: Random) -> Choice:
        """Return a value at random."""
        return rng.choice(self.values)


Distribution = IntRange | FloatRange | OneOf
Distributions = dict[str, Distribution]


CACHED = 4096  # distributions of each kind: more than the choices of a space


@lru_cache(CACHED, typed=True)
def int_range(low: int, high: int, step: int = 1, log: bool = False) -> IntRange:
    """Return the range, the same object for the same numbers. Raises ValueError as IntRange."""
    return IntRange(low, high, step, log)


@lru_cache(CACHED, typed=True)
def float_range(low: float, high: float, step: float | None = None, log: bool = False) -> FloatRange:
    """Return the range, the same object for the same numbers. Raises ValueError as FloatRange."""
    return FloatRange(low, high, step, log)


def one_of(*values: Choice) -> OneOf:
    """Return the list, one object for the same values if they can be hashed. Raises ValueError for an empty one."""
    try:
        return _one_of(*values)
    except TypeError:
        return OneOf(values)


@lru_cache(CACHED, typed=True)
def _one_of(*values: Choice) -> OneOf:
    return OneOf(values)


def compatible(old: Distribution, new: Distribution) -> bool:
    """Return whether Optuna takes both under one name: the same kind and scale, and of a list the same values."""
    if old is new:
        return True
    if not isinstance(old, OneOf) or not isinstance(new, OneOf):
        return type(old) is type(new) and getattr(old, "log", None) == getattr(new, "log", None)
    return len(old.values) == len(new.values) and all(map(OneOf.allows, [OneOf((v,)) for v in old.values], new.values))


def in_words(distribution: Distribution) -> str:
    """Return what a choice can be."""
    if isinstance(distribution, OneOf):
        return f"one of {list(distribution.values)}"
    kind = "a whole number" if isinstance(distribution, IntRange) else "a number"
    scale = " by its logarithm" if distribution.log else ""
    return f"{kind} from {distribution.low} to {distribution.high}{scale}"


def to_optuna(distribution: Distribution) -> "BaseDistribution":
    """Return Optuna's form of a distribution."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, IntRange):
        return IntDistribution(distribution.low, distribution.high, distribution.log, distribution.step)
    if isinstance(distribution, FloatRange):
        return FloatDistribution(distribution.low, distribution.high, distribution.log, distribution.step)
    return CategoricalDistribution(distribution.values)


def from_optuna(distribution: object) -> Distribution:
    """Return our form of a distribution, Optuna's or ours already. Raises ValueError for one of another kind."""
    if isinstance(distribution, IntRange | FloatRange | OneOf):
        return distribution
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, IntDistribution):
        return IntRange(distribution.low, distribution.high, distribution.step, distribution.log)
    if isinstance(distribution, FloatDistribution):
        return FloatRange(distribution.low, distribution.high, distribution.step, distribution.log)
    if isinstance(distribution, CategoricalDistribution):
        return OneOf(tuple(cast("Sequence[Choice]", distribution.choices)))
    raise ValueError(f"a distribution of kind {type(distribution).__name__}")


@lru_cache(CACHED)
def from_optuna_json(text: str) -> Distribution:
    """Return our form of a distribution as Optuna stores it. Raises ValueError or KeyError for one of another kind."""
    stored = json.loads(text)
    kind, values = stored["name"], stored["attributes"]
    if kind == "IntDistribution":
        return IntRange(values["low"], values["high"], values["step"], values["log"])
    if kind == "FloatDistribution":
        return FloatRange(values["low"], values["high"], values["step"], values["log"])
    if kind == "CategoricalDistribution":
        return OneOf(tuple(values["choices"]))
    raise ValueError(f"a distribution of kind {kind!r:.60}")
