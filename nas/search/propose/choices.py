"""Trials of our own for a space to ask: guided by given choices and uniform elsewhere, or fixed."""

import random
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar, cast

from nas.genome.trial import Choice, Trial
from nas.search.distributions import Distribution, Distributions, OneOf, float_range, int_range, one_of
from nas.search.ranges import FloatRange

T = TypeVar("T", bound=Choice)
Choices = dict[str, Choice]
ChoicesKey = tuple[tuple[str, Choice], ...]


class AskedTrial(Trial, Protocol):
    """A trial that records its answers, as ours and Optuna's do."""

    @property
    def params(self) -> Choices: ...

    @property
    def distributions(self) -> Mapping[str, object]: ...


class GuidedTrial:
    """A trial that answers with the given choices where the space allows them, and uniformly elsewhere.

    A name in `avoid` is never answered with the value there: a parent's choices and one name to avoid make a neighbor.
    With `lowest`, a range is answered with its low end. params, distributions: what was answered, as in Optuna.
    """

    def __init__(
        self,
        rng: random.Random,
        given: Mapping[str, Choice] | None = None,
        avoid: Mapping[str, Choice] | None = None,
        lowest: bool = False,
    ) -> None:
        self._rng, self._given, self._avoid, self._lowest = rng, given or {}, avoid or {}, lowest
        self.params: Choices = {}
        self.distributions: Distributions = {}

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self._answer(name, int_range(low, high, step, log)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return float(self._answer(name, float_range(low, high, step, log)))

    def suggest_categorical(self, name: str, choices: Sequence[T]) -> T:
        return cast("T", self._answer(name, one_of(*choices)))

    def _answer(self, name: str, distribution: Distribution) -> Choice:
        if name not in self.params:
            self.params[name] = self._value(name, distribution)
            self.distributions[name] = distribution
        return self.params[name]

    def _value(self, name: str, distribution: Distribution) -> Choice:
        given = self._given.get(name)
        if isinstance(distribution, FloatRange) and type(given) is int:
            given = float(given)
        if name in self._given and name not in self._avoid and distribution.allows(given):
            return cast("Choice", given)
        if self._lowest and not isinstance(distribution, OneOf):
            return distribution.low
        if name in self._avoid:
            return distribution.draw_other(self._rng, self._avoid[name])
        return distribution.draw(self._rng)


def neighbor(rng: random.Random, parent: Choices, changes: int = 1) -> GuidedTrial:
    """Return a trial with the parent's choices, some of them drawn again; choices that appear only then are uniform."""
    names = rng.sample(list(parent), min(changes, len(parent)))
    return GuidedTrial(rng, parent, {name: parent[name] for name in names})


def choices_key(choices: Mapping[str, Choice]) -> ChoicesKey:
    """Return choices as a key to look up."""
    return tuple(sorted(choices.items()))
