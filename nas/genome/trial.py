"""The interface by which a search space makes its choices: Optuna's, so one function samples, replays and mutates."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from nas.genome.graph import Graph
from nas.genome.task import Task

Choice = str | int | float | bool
T = TypeVar("T", bound=Choice)


class Trial(Protocol):
    """What a search space gets its choices from: an `optuna.Trial`, a random draw, or recorded choices."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return a whole number from `low` to `high`, both included; with `log`, small ones as often as large ones."""
        ...

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number from `low` to `high`; with `log`, small ones as often as large ones."""
        ...

    def suggest_categorical(self, name: str, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        ...


Space = Callable[[Trial, Task], Graph]
"""A search space: a function from a trial's choices to a network for a task."""
