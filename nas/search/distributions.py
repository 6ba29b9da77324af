"""Distributions of a choice: our own form of Optuna's, so that drawing a network does not import it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, cast

from nas.genome.trial import Choice

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEVELS = 64  # values taken of a range without a step


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from `low` to `high`, the last that steps reach. Raises ValueError for an empty range."""

    low: int
    high: int
    step: int = 1

    def __post_init__(self) -> None:
        if self.low > self.high or self.step < 1:
            raise ValueError(f"no whole number from {self.low} to {self.high} in steps of {self.step}")
        object.__setattr__(self, "high", self.high - (self.high - self.low) % self.step)

    @property
    def values(self) -> Sequence[int]:
        """Return the values, in order."""
        return range(self.low, self.high + 1, self.step)

    def allows(self, value: object) -> bool:
        """Return whether a value is one of these; True is not 1 here."""
        return type(value) is int and self.low <= value <= self.high and (value - self.low) % self.step == 0


@dataclass(frozen=True)
class FloatRange:
    """Numbers from `low` to `high`; with a step, `high` is the last that it reaches, as in Optuna.

    Raises ValueError for an empty range, or bounds that are not finite.
    """

    low: float
    high: float
    step: float | None = None

    def __post_init__(self) -> None:
        finite = all(isfinite(number) for number in (self.low, self.high, self.step or 0))
        if not finite or self.low > self.high or (self.step is not None and self.step <= 0):
            raise ValueError(f"no number from {self.low} to {self.high} in steps of {self.step}")
        object.__setattr__(self, "high", float(_last(self.low, self.high, self.step)))
        object.__setattr__(self, "low", float(self.low))

    @property
    def values(self) -> Sequence[float]:
        """Return the values, in order; LEVELS even ones where there is no step."""
        span = self.high - self.low
        if self.step is not None:
            return [min(self.low + i * self.step, self.high) for i in range(round(span / self.step) + 1)]
        return [self.low + span * i / (LEVELS - 1) for i in range(LEVELS)] if span else [self.low]

    def allows(self, value: object) -> bool:
        """Return whether a value lies in the range, on a step if there is one."""
        if type(value) is not float or not self.low <= value <= self.high:
            return False
        place = (value - self.low) / self.step if self.step else 0.0
        return abs(place - round(place)) < 1e-8  # Optuna's tolerance


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


Distribution = IntRange | FloatRange | OneOf
Distributions = dict[str, Distribution]


CACHED = 4096  # distributions of each kind: more than the choices of a space


@lru_cache(CACHED, typed=True)
def int_range(low: int, high: int, step: int = 1) -> IntRange:
    """Return the range, the same object for the same numbers. Raises ValueError for an empty one."""
    return IntRange(low, high, step)


@lru_cache(CACHED, typed=True)
def float_range(low: float, high: float, step: float | None = None) -> FloatRange:
    """Return the range, the same object for the same numbers.

    Raises ValueError for an empty one, and for bounds that are not finite.
    """
    return FloatRange(low, high, step)


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
    """Return whether Optuna takes both under one name: the same kind, and of a list the same values."""
    if old is new:
        return True
    if type(old) is not type(new) or not isinstance(old, OneOf):
        return type(old) is type(new)
    return len(old.values) == len(new.values) and all(map(OneOf.allows, [OneOf((v,)) for v in old.values], new.values))


def in_words(distribution: Distribution) -> str:
    """Return what a choice can be."""
    if isinstance(distribution, OneOf):
        return f"one of {list(distribution.values)}"
    kind = "a whole number" if isinstance(distribution, IntRange) else "a number"
    return f"{kind} from {distribution.low} to {distribution.high}"


def to_optuna(distribution: Distribution) -> "BaseDistribution":
    """Return Optuna's form of a distribution."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, IntRange):
        return IntDistribution(distribution.low, distribution.high, step=distribution.step)
    if isinstance(distribution, FloatRange):
        return FloatDistribution(distribution.low, distribution.high, step=distribution.step)
    return CategoricalDistribution(distribution.values)


def from_optuna(distribution: object) -> Distribution:
    """Return our form of a distribution, Optuna's or ours already. Raises ValueError for one of another kind."""
    if isinstance(distribution, IntRange | FloatRange | OneOf):
        return distribution
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, IntDistribution):
        return IntRange(distribution.low, distribution.high, distribution.step)
    if isinstance(distribution, FloatDistribution):
        return FloatRange(distribution.low, distribution.high, distribution.step)
    if isinstance(distribution, CategoricalDistribution):
        return OneOf(tuple(cast("Sequence[Choice]", distribution.choices)))
    raise ValueError(f"a distribution of kind {type(distribution).__name__}")


@lru_cache(CACHED)
def from_optuna_json(text: str) -> Distribution:
    """Return our form of a distribution as Optuna stores it. Raises ValueError or KeyError for one of another kind."""
    stored = json.loads(text)
    kind, values = stored["name"], stored["attributes"]
    if kind == "IntDistribution":
        return IntRange(values["low"], values["high"], values["step"])
    if kind == "FloatDistribution":
        return FloatRange(values["low"], values["high"], values["step"])
    if kind == "CategoricalDistribution":
        return OneOf(tuple(values["choices"]))
    raise ValueError(f"a distribution of kind {kind!r:.60}")
