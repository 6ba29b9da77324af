"""A trial as a space asks it: what Optuna could not record is refused on the line that asks."""

import json
from collections.abc import Sequence
from math import isfinite
from typing import TypeVar

from nas.genome.trial import Choice, Trial
from nas.search.distributions import (
    Distribution,
    Distributions,
    compatible,
    float_range,
    in_words,
    int_range,
    one_of,
)

T = TypeVar("T", bound=Choice)
PLAIN = (str, int, float, bool, type(None))


class CheckedTrial:
    """Asks another trial, and raises ValueError for what Optuna refuses.

    asked: of each name the first distribution, shared by all trials of one space and task. Values of a list that are
    not plain (tuples, lists, classes) are asked for by their labels.
    """

    def __init__(self, trial: Trial, asked: Distributions) -> None:
        self._trial, self._asked = trial, asked

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        if any(type(number) is not int for number in (low, high, step)):
            raise ValueError(f"choice {name!r}: {low}, {high} and step {step} must be whole numbers")
        wanted = int_range(low, high, step, log)
        self._check(name, wanted)
        return self._inside(name, wanted, self._trial.suggest_int(name, low, wanted.high, step=step, log=log))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        wanted = float_range(low, high, step, log)
        self._check(name, wanted)
        return self._inside(name, wanted, self._trial.suggest_float(name, wanted.low, wanted.high, step=step, log=log))

    def suggest_uniform(self, name: str, low: float, high: float) -> float:
        """Return a number, as Optuna's former call of this name."""
        return self.suggest_float(name, low, high)

    def suggest_loguniform(self, name: str, low: float, high: float) -> float:
        """Return a number by its logarithm, as Optuna's former call of this name."""
        return self.suggest_float(name, low, high, log=True)

    def suggest_discrete_uniform(self, name: str, low: float, high: float, q: float) -> float:
        """Return a number in steps of `q`, as Optuna's former call of this name."""
        return self.suggest_float(name, low, high, step=q)

    def suggest_categorical(self, name: str, choices: Sequence[T]) -> T:
        labels = _labels(name, choices)
        self._check(name, one_of(*labels))
        found = self._trial.suggest_categorical(name, labels)
        return next(value for value, label in zip(choices, labels, strict=True) if label == found)

    def _check(self, name: str, wanted: Distribution) -> None:
        first = self._asked.setdefault(name, wanted)
        if not compatible(first, wanted):
            raise ValueError(
                f"choice {name!r} was {in_words(first)} and is now {in_words(wanted)}: one name has one kind and one "
                "list; use another name"
            )

    def _inside(self, name: str, wanted: Distribution, value: T) -> T:
        """Return an answer; a name asked twice in a network is answered once, and must suit both."""
        if not wanted.allows(value):
            raise ValueError(f"choice {name!r} is already {value!r} in this network, which is not {in_words(wanted)}")
        return value


def _labels(name: str, choices: Sequence[T]) -> tuple[Choice, ...]:
    """Return the values where all are plain and differ, else a label for each. Raises ValueError for one without."""
    if any(isinstance(value, float) and not isfinite(value) for value in choices):
        raise ValueError(f"choice {name!r}: {list(choices)} has a value that is not finite")
    if all(type(value) in PLAIN for value in choices) and len(set(choices)) == len(choices):
        return tuple(choices)
    if all(type(value) in PLAIN for value in choices) and len({(type(v), v) for v in choices}) < len(choices):
        raise ValueError(f"choice {name!r}: {list(choices)} has a value twice")
    labels = tuple([_label(name, value) for value in choices])
    if len(set(labels)) < len(labels):
        raise ValueError(f"choice {name!r}: two values have the same label in {list(labels)}")
    return labels


def _label(name: str, value: object) -> str:
    if isinstance(value, type):
        return value.__qualname__
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        what = "a number, a string, True, False, None, a class, or a list of such"
        raise ValueError(f"choice {name!r}: {type(value).__name__} cannot be a choice; it must be {what}") from None
