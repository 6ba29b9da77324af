"""Budgets by construction: a network outside is moved to a near one inside, by changing the space's own choices.

The numeric choices (widths, growth, depths) are changed by the smallest relative amounts that should bring every
count into its range, each rounded to its step. Then the network is counted exactly, the slopes are corrected by the
result (Broyden 1965), and the step is repeated. Listed choices stay as they are. The result is a network of the space
like any other, but not a uniform draw of those inside: see docs/search.md.
"""

import random
from bisect import bisect, bisect_left
from collections.abc import Sequence
from math import exp, inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import GenomeError
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.distributions import FloatRange, OneOf
from nas.search.objectives import OBJECTIVES, Budget, Network, Range
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import Choices, ChoicesKey, GuidedTrial, choices_key

Array = NDArray[np.float64]
Band = tuple[float, float]  # logarithms of the bounds of a count
TRIES = 12  # networks counted before it gives up
FILLED = 0.9  # of the upper limit: the target of a network that exceeded it
RIDGE = 1e-6  # keeps the step finite where no choice has an effect
EXAMPLES = 8  # networks from which the first slopes are estimated


class _LogChoice:
    """A numeric choice, on a logarithmic scale."""

    def __init__(self, options: Sequence[float], continuous: bool) -> None:
        self.options, self.continuous = list(options), continuous  # in order; a sample of a range without a step
        self.shift = 0.0 if options[0] > 0 else 1.0 - options[0]
        self.places = [log(option + self.shift) for option in options]
        self.bounds = self.places[0], self.places[-1]

    def place(self, value: Any) -> float:
        return log(value + self.shift)

    def value(self, place: float) -> Any:
        """Return the nearest value."""
        if self.continuous:
            return min(max(exp(place) - self.shift, self.options[0]), self.options[-1])
        i = min(max(bisect(self.places, place), 1), len(self.places) - 1)
        return self.options[i - (place - self.places[i - 1] < self.places[i] - place)]

    def beside(self, value: Any) -> list[Any]:
        """Return the next value on either side."""
        below, above = bisect_left(self.options, value), bisect(self.options, value)
        return self.options[max(0, below - 1) : below] + self.options[above : above + 1]


class BudgetFitter:
    """Moves networks of one space into one budget."""

    def __init__(self, space: Space, task: Task, budget: Budget, seed: int) -> None:
        self.space, self.task, self.budget = space, task, budget
        self.rng = random.Random(seed)
        self.quantities = [OBJECTIVES[name] for name in budget]
        self.knobs: dict[str, _LogChoice] = {}
        self.slopes: dict[str, Array] = {}  # of the counts' logarithms, by choice
        self._learn()

    def fit(self, first: Candidate) -> Candidate | None:
        """Return the network itself if it is inside, else one near it that is; None where none was found."""
        if self.budget.allows(first):
            return first
        bands, seen = self._bands(first), {choices_key(first.choices)}
        current, best, slopes = first, None, {}
        for name in self._free(first):
            slopes[name] = self.slopes.get(name, np.ones(len(self.quantities)))
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
        for _ in range(EXAMPLES if self.quantities else 0):
            if (one := self._draw({})) is None:
                continue
            for name in self._free(one):
                knob = self.knobs[name]
                other = self._draw(one.choices | {name: self.rng.choice(knob.options)})
                if other is not None and other.choices[name] != one.choices[name]:
                    run = knob.place(other.choices[name]) - knob.place(one.choices[name])
                    found.setdefault(name, []).append((self._counts(other) - self._counts(one)) / run)
        self.slopes = {name: np.mean(slopes, axis=0) for name, slopes in found.items()}

    def _draw(self, choices: Choices) -> Candidate | None:
        try:
            return make_candidate(self.space, self.task, GuidedTrial(self.rng, choices))
        except GenomeError:
            return None

    def _free(self, drawn: Candidate) -> list[str]:
        """Return the numeric choices of a network that have more than one value."""
        for name, distribution in drawn.distributions.items():
            if (
                name not in self.knobs
                and not isinstance(distribution, OneOf)
                and len(options := distribution.values) > 1
            ):
                self.knobs[name] = _LogChoice(
                    options, isinstance(distribution, FloatRange) and distribution.step is None
                )
        return [name for name in drawn.choices if name in self.knobs]

    def _counts(self, network: Network) -> Array:
        return np.array([log(max(1, quantity.of(network))) for quantity in self.quantities])

    def _bands(self, network: Network) -> list[Band]:
        """Return the target of each count: its range, and for the limit exceeded most, the end of the range."""
        worst, _ = self.budget.worst(network)
        return [
            _band(limit, name == worst and limit.max is not None and OBJECTIVES[name].of(network) > limit.max)
            for name, limit in self.budget.items()
        ]

    def _move(
        self, current: Candidate, miss: Array, slopes: dict[str, Array], seen: set[ChoicesKey]
    ) -> Candidate | None:
        """Return the network the slopes point to; where that was tried already, the best untried single step."""
        names = [name for name in slopes if name in current.choices]
        if not names:
            return None
        places = np.array([self.knobs[name].place(current.choices[name]) for name in names])
        bounds = np.array([self.knobs[name].bounds for name in names])
        matrix = np.array([slopes[name] for name in names]).T
        goal = places + _step(matrix, miss, places, bounds)
        choices = {name: self.knobs[name].value(place) for name, place in zip(names, goal, strict=True)}
        if choices_key(current.choices | choices) in seen:
            choices = self._single(current, miss, names, matrix, seen)
        if not choices:
            return None
        seen.add(choices_key(current.choices | choices))
        return self._draw(current.choices | choices)

    def _single(
        self, current: Candidate, miss: Array, names: list[str], matrix: Array, seen: set[ChoicesKey]
    ) -> Choices:
        best, least = {}, inf
        for column, name in enumerate(names):
            knob, now = self.knobs[name], current.choices[name]
            for option in knob.beside(now):
                left = miss - matrix[:, column] * (knob.place(option) - knob.place(now))
                if (size := float(np.abs(left).sum())) < least and choices_key(
                    current.choices | {name: option}
                ) not in seen:
                    best, least = {name: option}, size
        return best

    def _correct(self, slopes: dict[str, Array], before: Candidate, after: Candidate) -> None:
        """Correct the slopes by Broyden's update: the smallest change that explains the last step."""
        shared = [name for name in slopes if name in before.choices and name in after.choices]
        run = {n: self.knobs[n].place(after.choices[n]) - self.knobs[n].place(before.choices[n]) for n in shared}
        length = sum(step * step for step in run.values())
        if length > 0:
            expected = sum((slopes[name] * step for name, step in run.items()), np.zeros(len(self.quantities)))
            wrong = self._counts(after) - self._counts(before) - expected
            for name, step in run.items():
                slopes[name] = slopes[name] + wrong * step / length


def _band(limit: Range, filled: bool) -> Band:
    low = -inf if limit.min is None else log(max(1, limit.min))
    high = inf if limit.max is None else log(max(1, limit.max))
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
