"""Budgets by construction: a network outside is moved to a near one inside, by changing the space's own choices.

The numeric choices (widths, growth, depths) are changed by the smallest relative amounts that should bring every
count into its range, each rounded to its step. Then the network is counted exactly, the slopes are corrected by the
result (Broyden 1965), and the step is repeated. Listed choices stay as they are. The result is a network of the space
like any other, but not a uniform draw of those inside: see docs/search.md.
"""

import random
from bisect import bisect, bisect_left
from functools import lru_cache
from math import exp, inf, isfinite, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import GenomeError
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.distributions import CACHED, OneOf
from nas.search.objectives import OBJECTIVES, Budget, Network, Range
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import Choices, ChoicesKey, GuidedTrial, choices_key
from nas.search.ranges import FloatRange, IntRange

Array = NDArray[np.float64]
Band = tuple[float, float]  # logarithms of the bounds of a count
TRIES = 12  # networks counted before it gives up
FILLED = 0.9  # of the upper limit: the target of a network that exceeded it
RIDGE = 1e-6  # keeps the step finite where no choice has an effect
SMALLEST = 1e-6  # of a quantity that is not counted, such as milliseconds
EXAMPLES = 8  # networks from which the first slopes are estimated


class _LogChoice:
    """A numeric choice of several values, on a logarithmic scale."""

    def __init__(self, distribution: IntRange | FloatRange) -> None:
        self.low, self.high, self.options = distribution.low, distribution.high, distribution.values
        self.continuous = isinstance(distribution, FloatRange) and distribution.step is None
        self.bounds = self.place(self.low), self.place(self.high)
        self.draw = distribution.draw

    def place(self, value: Any) -> float:
        return log(value if self.low > 0 else value - self.low + 1)

    def value(self, place: float) -> Any:
        """Return the nearest value."""
        number = exp(place) if self.low > 0 else exp(place) - 1 + self.low
        number = min(max(number, self.low), self.high)
        if self.continuous:
            return number
        above = min(max(bisect(self.options, number), 1), len(self.options) - 1)
        pair = self.options[above], self.options[above - 1]
        return min(pair, key=lambda option: abs(self.place(option) - place))

    def beside(self, value: Any) -> list[Any]:
        """Return the next value on either side."""
        below, above = bisect_left(self.options, value), bisect(self.options, value)
        return [*self.options[max(0, below - 1) : below], *self.options[above : above + 1]]


@lru_cache(CACHED)
def _log_choice(distribution: IntRange | FloatRange) -> _LogChoice:
    return _LogChoice(distribution)


class BudgetFitter:
    """Moves networks of one space into one budget."""

    def __init__(self, space: Space, task: Task, budget: Budget, seed: int) -> None:
        self.space, self.task, self.budget = space, task, budget
        self.rng = random.Random(seed)
        self.slopes: dict[str, Array] = {}  # of the counts' logarithms, by choice
        self._learn()

    def fit(self, first: Candidate) -> Candidate | None:
        """Return the network itself if it is inside, else one near it that is; None where none was found."""
        if self.budget.allows(first):
            return first
        if not self._has_counts(first):
            return None
        bands, seen = self._bands(first), {choices_key(first.choices)}
        current, best, slopes = first, None, {}
        for name in _free(first):
            slopes[name] = self.slopes.get(name, np.ones(len(self.budget)))
        for _ in range(TRIES):
            miss = _miss(bands, self._counts(current))
            moved = self._move(current, miss, slopes, seen)
            if moved is None:
                break
            self._correct(slopes, current, moved)
            current = moved
            if self.budget.allows(current):
                if not _miss(bands, self._counts(current)).any():
                    return current
                best = max(best or current, current, key=lambda drawn: self._counts(drawn).sum())
        return best

    def _learn(self) -> None:
        """Estimate the first slopes by changing one choice at a time in a few random networks."""
        found: dict[str, list[Array]] = {}
        for _ in range(EXAMPLES if self.budget else 0):
            if (one := self._draw({})) is None:
                continue
            for name, knob in _free(one).items():
                other = self._draw(one.choices | {name: knob.draw(self.rng)})
                if other is not None and (run := _moves(one, other).get(name)):
                    found.setdefault(name, []).append((self._counts(other) - self._counts(one)) / run)
        self.slopes = {name: np.mean(slopes, axis=0) for name, slopes in found.items()}

    def _draw(self, choices: Choices) -> Candidate | None:
        try:
            drawn = make_candidate(self.space, self.task, GuidedTrial(self.rng, choices))
        except GenomeError:
            return None
        return drawn if self._has_counts(drawn) else None

    def _has_counts(self, network: Network) -> bool:
        return all(isfinite(self.budget.value(name, network)) for name in self.budget)

    def _counts(self, network: Network) -> Array:
        return np.array([_log(name, self.budget.value(name, network)) for name in self.budget])

    def _bands(self, network: Network) -> list[Band]:
        """Return the target of each count: its range, and for the limit exceeded most, the end of the range."""
        worst, _ = self.budget.worst(network)
        value = self.budget.value(worst, network) if worst else 0.0
        return [
            _band(name, limit, name == worst and limit.max is not None and value > limit.max)
            for name, limit in self.budget.items()
        ]

    def _move(
        self, current: Candidate, miss: Array, slopes: dict[str, Array], seen: set[ChoicesKey]
    ) -> Candidate | None:
        """Return the network the slopes point to; where that was tried already, the best untried single step."""
        knobs = {name: knob for name, knob in _free(current).items() if name in slopes}
        if not knobs:
            return None
        places = np.array([knob.place(current.choices[name]) for name, knob in knobs.items()])
        bounds = np.array([knob.bounds for knob in knobs.values()])
        matrix = np.array([slopes[name] for name in knobs]).T
        goal = places + _step(matrix, miss, places, bounds)
        choices = {name: knob.value(place) for (name, knob), place in zip(knobs.items(), goal, strict=True)}
        if choices_key(current.choices | choices) in seen:
            choices = _single(current, miss, slopes, seen)
        if not choices:
            return None
        seen.add(choices_key(current.choices | choices))
        return self._draw(current.choices | choices)

    def _correct(self, slopes: dict[str, Array], before: Candidate, after: Candidate) -> None:
        """Correct the slopes by Broyden's update: the smallest change that explains the last step."""
        run = {name: step for name, step in _moves(before, after).items() if name in slopes}
        length = sum(step * step for step in run.values())
        if length > 0:
            expected = sum((slopes[name] * step for name, step in run.items()), np.zeros(len(self.budget)))
            wrong = self._counts(after) - self._counts(before) - expected
            for name, step in run.items():
                slopes[name] = slopes[name] + wrong * step / length


def _free(drawn: Candidate) -> dict[str, _LogChoice]:
    """Return the numeric choices of a network that have more than one value."""
    return {
        name: _log_choice(distribution)
        for name, distribution in drawn.distributions.items()
        if not isinstance(distribution, OneOf) and distribution.low < distribution.high
    }


def _moves(before: Candidate, after: Candidate) -> dict[str, float]:
    """Return how far each numeric choice moved, of those that have the same range in both networks."""
    return {
        name: knob.place(after.choices[name]) - knob.place(before.choices[name])
        for name, knob in _free(before).items()
        if after.distributions.get(name) == before.distributions[name]
    }


def _single(current: Candidate, miss: Array, slopes: dict[str, Array], seen: set[ChoicesKey]) -> Choices:
    """Return the change of one choice by one value that should leave the smallest gap, of those not seen yet."""
    best, least = {}, inf
    for name, knob in _free(current).items():
        now = current.choices[name]
        for option in knob.beside(now) if name in slopes else ():
            left = miss - slopes[name] * (knob.place(option) - knob.place(now))
            size = float(np.abs(left).sum())
            if size < least and choices_key(current.choices | {name: option}) not in seen:
                best, least = {name: option}, size
    return best


def _log(name: str, value: float) -> float:
    """Return the logarithm of a quantity; what is counted is at least 1."""
    return log(max(1 if OBJECTIVES[name].form in ("count", "bytes") else SMALLEST, value))


def _band(name: str, limit: Range, filled: bool) -> Band:
    low = -inf if limit.min is None else _log(name, limit.min)
    high = inf if limit.max is None else _log(name, limit.max)
    return (max(low, high + log(FILLED)) if filled else low), high


def _miss(bands: list[Band], counts: Array) -> Array:
    """Return how far each logarithm has to move: to a quarter of the band's width from its nearer end; 0 inside."""
    miss = np.zeros(len(bands))
    for place, ((low, high), count) in enumerate(zip(bands, counts, strict=True)):
        inner = min(0.1, high - low) / 4
        if count > high:
            miss[place] = high - inner - count
        elif count < low:
            miss[place] = low + inner - count
    return miss


def _step(matrix: Array, miss: Array, places: Array, bounds: Array) -> Array:
    """Return the smallest step within bounds that should close the gaps."""
    matrix, miss = matrix[miss != 0], miss[miss != 0]
    step, free = np.zeros(len(places)), np.ones(len(places), dtype=bool)
    low, high = bounds[:, 0] - places, bounds[:, 1] - places
    while free.any():
        part = matrix * free
        step += part.T @ np.linalg.solve(part @ part.T + RIDGE * np.eye(len(part)), miss - matrix @ step)
        stuck = free & ((step < low) | (step > high))
        step = np.minimum(np.maximum(step, low), high)
        if not stuck.any():
            break
        free &= ~stuck
    return step
