"""How a search space asks for its choices: Optuna's own words, so one function samples, replays and mutates."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from nas.genome.graph import Graph
from nas.genome.task import Task

Choice = str | int | float | bool
T = TypeVar("T", bound=Choice)


class Trial(Protocol):
    """What a space may ask. An `optuna.Trial` is one; so are a random draw and a replay of recorded choices."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        """A whole number from `low` to `high`, both included."""
        ...

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None) -> float:
        """A number from `low` to `high`."""
        ...

    def suggest_categorical(self, name: str, choices: Sequence[T]) -> T:
        """One of `choices`."""
        ...


Space = Callable[[Trial, Task], Graph]
"""A search space: a function from a trial's choices to a network for a task."""
