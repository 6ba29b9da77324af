"""Distributions of a choice: our own form of Optuna's, so that drawing a network does not import it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from nas.genome.trial import Choice

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEVELS = 64  # values taken of a range without a step


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from `low` to `high`, both included. Raises ValueError for an empty range."""

    low: int
    high: int
    step: int = 1

    def __post_init__(self) -> None:
        if self.low > self.high or self.step < 1:
            raise ValueError(f"no whole number from {self.low} to {self.high} in steps of {self.step}")

    @property
    def values(self) -> Sequence[int]:
        """Return the values, in order."""
        return range(self.low, self.high + 1, self.step)

    def allows(self, value: object) -> bool:
        """Return whether a value is one of these; True is not 1 here."""
        return type(value) is int and self.low <= value <= self.high and (value - self.low) % self.step == 0


@dataclass(frozen=True)
class FloatRange:
    """Numbers from `low` to `high`, in steps from `low` if there is one. Raises ValueError for an empty range."""

    low: float
    high: float
    step: float | None = None

    def __post_init__(self) -> None:
        if self.low > self.high or (self.step is not None and self.step <= 0):
            raise ValueError(f"no number from {self.low} to {self.high} in steps of {self.step}")

    @property
    def values(self) -> Sequence[float]:
        """Return the values, in order; LEVELS even ones where there is no step."""
        span = self.high - self.low
        steps = LEVELS - 1 if self.step is None else round(span / self.step)
        return [self.low + span * i / steps for i in range(steps + 1)] if steps else [self.low]

    def allows(self, value: object) -> bool:
        """Return whether a value lies in the range."""
        return type(value) is float and self.low <= value <= self.high


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
