"""Ranges of numbers that a choice is drawn from; a range of any size is counted, not written out."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, isfinite, log
from random import Random
from typing import Any, TypeVar, overload

T = TypeVar("T")
LEVELS = 64  # values taken of a range without a step
MAX_WHOLE = 2**53  # whole numbers above are not told apart as floats, which Optuna stores
MAX_STEPS = 2**48  # likewise steps from 0 to the end of a range
TOLERANCE = 1e-8  # of a number beside its step, in steps, as Optuna has it
ROUNDING = 2.0**-50  # of a sum and a quotient of floats


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from `low` to `high`, the last that steps reach; with `log` drawn uniformly by their logarithm.

    Raises ValueError for an empty range, for numbers that a float cannot hold, and with `log` for a step or numbers
    below 1.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        if self.low > self.high or self.step < 1:
            raise ValueError(f"no whole number from {self.low} to {self.high} in steps of {self.step}")
        if max(abs(self.low), abs(self.high)) > MAX_WHOLE:
            raise ValueError(f"whole numbers from {self.low} to {self.high} are too large; the largest is 2**53")
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

    def position(self, value: Any) -> float:
        """Return where a number lies, from 0 at `low` to 1 at `high`, by its logarithm with `log`.

        It is 0 where there is one value only; a number outside has the position of the nearer end.
        """
        return _position(value, self.low, self.high, self.log)

    def draw(self, rng: Random) -> int:
        """Return a number at random; with `log` each has the weight of its own half unit on both sides."""
        if not self.log:
            return rng.choice(self.values)
        drawn = exp(rng.uniform(log(self.low - 0.5), log(self.high + 0.5)))
        return min(max(round(drawn), self.low), self.high)

    def draw_other(self, rng: Random, value: Any) -> int:
        """Return another number than the given one at random; the same where there is no other."""
        if not self.allows(value):
            return self.draw(rng)
        if self.log and (drawn := self.draw(rng)) != value:
            return drawn
        return draw_other(rng, self.values, self.values.index(value))

    def nearest(self, number: float) -> int:
        """Return the value nearest to a number."""
        return self.values[_place(number, self.low, self.high, self.step)]


@dataclass(frozen=True)
class FloatRange:
    """Numbers from `low` to `high`; with a step, `high` is the last that it reaches, as in Optuna.

    With `log` they are drawn uniformly by their logarithm. Raises ValueError for an empty range, bounds that are not
    finite, or a step too small for floats, and with `log` for a step or a lower bound of 0 or less.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        finite = all(isfinite(number) for number in (self.low, self.high, self.high - self.low, self.step or 0))
        if not finite or self.low > self.high or (self.step is not None and self.step <= 0):
            raise ValueError(f"no number from {self.low} to {self.high} in steps of {self.step}")
        if self.step is not None and max(abs(self.low), abs(self.high)) / self.step > MAX_STEPS:
            raise ValueError(f"steps of {self.step} are too small from {self.low} to {self.high}; leave the step out")
        if self.log and (self.step is not None or self.low <= 0):
            raise ValueError(f"log=True takes numbers above 0 and no step, not {self.low} and {self.step}")
        object.__setattr__(self, "high", float(_last(self.low, self.high, self.step)))
        object.__setattr__(self, "low", float(self.low))

    @property
    def values(self) -> Sequence[float]:
        """Return the values, in order; LEVELS even ones, by their logarithm with `log`, where there is no step."""
        if self.step is not None:
            return Steps(self.low, self.high, self.step)
        inner = [self._at(level / (LEVELS - 1)) for level in range(1, LEVELS - 1)]
        return [self.low, *inner, self.high] if self.low < self.high else [self.low]

    @property
    def tolerance(self) -> float:
        """Return how far beside a step a number may be and still count as on it, in steps."""
        return max(TOLERANCE, ROUNDING * max(abs(self.low), abs(self.high)) / self.step) if self.step else 0.0

    def allows(self, value: object) -> bool:
        """Return whether a value lies in the range, on a step if there is one."""
        if type(value) is not float or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return self.step is None or abs(steps - round(steps)) < self.tolerance

    def position(self, value: Any) -> float:
        """Return where a number lies, from 0 at `low` to 1 at `high`, by its logarithm with `log`.

        It is 0 where there is one value only; a number outside has the position of the nearer end.
        """
        return _position(value, self.low, self.high, self.log)

    def draw(self, rng: Random) -> float:
        """Return a number at random."""
        return rng.choice(self.values) if self.step is not None else self._at(rng.random())

    def draw_other(self, rng: Random, value: Any) -> float:
        """Return another number than the given one at random; the same where there is no other."""
        if self.step is None or not self.allows(value):
            return self.draw(rng)
        return draw_other(rng, self.values, _place(value, self.low, self.high, self.step))

    def nearest(self, number: float) -> float:
        """Return the value nearest to a number."""
        if self.step is None:
            return min(max(number, self.low), self.high)
        return self.values[_place(number, self.low, self.high, self.step)]

    def _at(self, position: float) -> float:
        """Return the number at a position from 0 to 1."""
        if not self.log:
            return self.low + (self.high - self.low) * position
        first, last = log(self.low), log(self.high)
        return min(max(exp(first + (last - first) * position), self.low), self.high)


@dataclass(frozen=True)
class Steps(Sequence[float]):
    """The numbers that steps from `low` reach, up to `high`."""

    low: float
    high: float
    step: float

    def __len__(self) -> int:
        return round((self.high - self.low) / self.step) + 1

    @overload
    def __getitem__(self, place: int) -> float: ...
    @overload
    def __getitem__(self, place: slice) -> list[float]: ...
    def __getitem__(self, place: int | slice) -> float | list[float]:
        if isinstance(place, slice):
            return [self[i] for i in range(len(self))[place]]
        return min(self.low + range(len(self))[place] * self.step, self.high)


def draw_other(rng: Random, values: Sequence[T], place: int) -> T:
    """Return one of the values at random, but not that at a place; the only one where there is one."""
    if len(values) == 1:
        return values[0]
    drawn = rng.randrange(len(values) - 1)
    return values[drawn + (drawn >= place)]


def _place(number: float, low: float, high: float, step: float) -> int:
    """Return how many steps from the first lead to the value nearest to a number."""
    return round((min(max(number, low), high) - low) / step)


def _position(value: float, low: float, high: float, by_logarithm: bool) -> float:
    value = min(max(value, low), high)
    if by_logarithm:
        value, low, high = log(value), log(low), log(high)
    return (value - low) / (high - low) if low < high else 0.0


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
