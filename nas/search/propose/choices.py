"""Drawing from a space: a trial that answers from given choices and at random, and the counted network it leaves."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from nas.genome.cost import Cost, cost
from nas.genome.graph import Graph
from nas.genome.layer_ngrams import LayerNgrams, layer_ngrams
from nas.genome.task import Task
from nas.genome.trial import Choice, Space

T = TypeVar("T", bound=Choice)
Choices = dict[str, Any]
LEVELS = 64  # values taken of a range without a step


class GuidedTrial:
    """A trial that answers with the given choices where the space allows them, and uniformly elsewhere.

    A name in `avoid` is never answered with the value there, so a parent's choices and one name to avoid make a
    neighbour. Remembers choices and distributions, as an Optuna trial does.
    """

    def __init__(
        self, rng: random.Random, given: Mapping[str, Choice] | None = None, avoid: Mapping[str, Choice] | None = None
    ) -> None:
        self._rng, self._given, self._avoid = rng, given or {}, avoid or {}
        self.params: Choices = {}
        self.distributions: dict[str, BaseDistribution] = {}

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        return int(self._answer(name, _ints(low, high, step)))

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None) -> float:
        return float(self._answer(name, _floats(low, high, step)))

    def suggest_categorical(self, name: str, choices: Sequence[T]) -> T:
        value: T = self._answer(name, _categories(tuple(choices), tuple(map(type, choices))))
        return value

    def _answer(self, name: str, distribution: BaseDistribution) -> Any:
        if name not in self.params:
            self.params[name] = self._value(name, distribution)
            self.distributions[name] = distribution
        return self.params[name]

    def _value(self, name: str, distribution: BaseDistribution) -> Any:
        if name in self._given and name not in self._avoid and is_allowed(self._given[name], distribution):
            return self._given[name]
        options = distribution_values(distribution)
        others = [value for value in options if value != self._avoid[name]] if name in self._avoid else options
        if isinstance(distribution, FloatDistribution) and distribution.step is None:
            return self._rng.uniform(distribution.low, distribution.high)
        return self._rng.choice(others or options)


@lru_cache(maxsize=4096)
def _ints(low: int, high: int, step: int) -> BaseDistribution:
    return IntDistribution(low, high - (high - low) % step, step=step)


@lru_cache(maxsize=4096, typed=True)
def _floats(low: float, high: float, step: float | None) -> BaseDistribution:
    if step is not None:
        high = low + step * int((high - low) / step + 1e-9)
    return FloatDistribution(low, high, step=step)


@lru_cache(maxsize=4096)
def _categories(choices: tuple[Any, ...], _types: tuple[type, ...]) -> BaseDistribution:
    return CategoricalDistribution(choices)


def distribution_values(distribution: BaseDistribution) -> Sequence[Any]:
    """What a choice may be, ordered choices in order; LEVELS even ones of a range without a step."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high = distribution.low, distribution.high
    if isinstance(distribution, IntDistribution):
        return range(int(low), int(high) + 1, distribution.step)
    steps = LEVELS - 1 if distribution.step is None else round((high - low) / distribution.step)
    return [low + (high - low) * i / steps for i in range(steps + 1)] if steps else [low]


def is_allowed(value: Any, distribution: BaseDistribution) -> bool:
    """Whether a value is one of the choice's; True is not 1 here."""
    if isinstance(distribution, CategoricalDistribution):
        return any(type(value) is type(option) and value == option for option in distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    if type(value) is not (int if isinstance(distribution, IntDistribution) else float):
        return False
    inside = distribution.low <= value <= distribution.high
    return inside and (
        isinstance(distribution, FloatDistribution) or (value - distribution.low) % distribution.step == 0
    )


def is_ordered(distribution: BaseDistribution) -> bool:
    """Whether the choice is a number in a range rather than one of a list."""
    return not isinstance(distribution, CategoricalDistribution)


def neighbor(rng: random.Random, parent: Choices, changes: int = 1) -> GuidedTrial:
    """The parent's choices with some of them redrawn; choices that only then come up are drawn uniformly."""
    names = rng.sample(list(parent), min(changes, len(parent)))
    return GuidedTrial(rng, parent, {name: parent[name] for name in names})


@dataclass(frozen=True)
class EditedGraph:
    """In a trial's place, a network made of others: of no choices."""

    graph: Graph
    parents: tuple[str, ...]  # fingerprints


@dataclass(frozen=True)
class Candidate:
    """A network as drawn: its choices, and what it costs."""

    choices: Choices
    distributions: dict[str, BaseDistribution]
    graph: Graph
    cost: Cost
    parents: tuple[str, ...] = ()  # fingerprints, of one that was not drawn from the space

    @cached_property
    def walks(self) -> LayerNgrams:
        """How often up to three layers follow one another."""
        return layer_ngrams(self.graph)


def make_candidate(space: Space, task: Task, trial: Any) -> Candidate:
    """Let a space ask a trial. Raises GenomeError where the choices make no network for the task."""
    if isinstance(trial, EditedGraph):
        task.check(trial.graph)
        return Candidate({}, {}, trial.graph, cost(trial.graph), trial.parents)
    graph = space(trial, task)
    task.check(graph)
    return Candidate(dict(trial.params), dict(trial.distributions), graph, cost(graph))


def choices_key(choices: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Choices as something to look up."""
    return tuple(sorted(choices.items()))
