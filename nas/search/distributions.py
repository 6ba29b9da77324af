"""Distributions of a choice: our own form of Optuna's, so that drawing a network does not import it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, cast

from nas.genome.trial import Choice
from nas.search.ranges import TOLERANCE, FloatRange, IntRange, draw_other

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


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

    def position(self, value: object) -> float:
        """Return the place of a value in the list, from 0 for the first to 1 for the last; 0 of one alone.

        Raises ValueError for a value that is not in the list.
        """
        return self._place(value) / max(1, len(self.values) - 1)

    def draw(self, rng: Random) -> Choice:
        """Return a value at random."""
        return rng.choice(self.values)

    def draw_other(self, rng: Random, value: object) -> Choice:
        """Return another value than the given one at random; the same where there is no other."""
        return draw_other(rng, self.values, self._place(value)) if self.allows(value) else self.draw(rng)

    def _place(self, value: object) -> int:
        for place, option in enumerate(self.values):
            if type(value) is type(option) and value == option:
                return place
        raise ValueError(f"{value!r:.60} is not {in_words(self)}")


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
        step = distribution.step if distribution.tolerance <= TOLERANCE else None  # too small for Optuna's tolerance
        return FloatDistribution(distribution.low, distribution.high, distribution.log, step)
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
