"""Regularised evolution: the oldest dies, not the worst (Real et al. 2019, algorithm 1)."""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from nas.errors import EditError
from nas.genome.edit import crossover, mutate
from nas.genome.fingerprint import fingerprint
from nas.search.experiment import Experiment
from nas.search.propose.choices import Candidate, EditedGraph, GuidedTrial, neighbor
from nas.search.propose.samplers.base import Objectives, Sampler, beats, objectives

POPULATION = 20
TOURNAMENT = 5
CROSSED = 0.25  # of the children that are made by editing graphs

Breed = Callable[[random.Random, Callable[[], Candidate]], GuidedTrial | EditedGraph]
"""A child of the parents that a function chooses, one a call."""


class Evolution:
    """A parent is the best of a few random members: of several objectives, one that the fewest of the few beat."""

    def __init__(self, experiment: Experiment, seed: int, breed: Breed) -> None:
        self.names, self.rng, self.breed = experiment.objectives, random.Random(seed), breed
        self.size = max(TOURNAMENT, min(POPULATION, experiment.trials // 4))
        self.members: deque[tuple[Objectives, Candidate]] = deque(maxlen=self.size)

    def ask(self) -> GuidedTrial | EditedGraph:
        return GuidedTrial(self.rng) if len(self.members) < self.size else self.breed(self.rng, self._parent)

    def tell(self, trial: Any, draft: Candidate | None, error: float | None) -> None:
        if draft is not None and error is not None:
            self.members.append((objectives(self.names, error, draft.cost), draft))

    def _parent(self) -> Candidate:
        few = self.rng.sample(list(self.members), TOURNAMENT)
        return min(few, key=lambda member: sum(beats(other, member[0]) for other, _ in few))[1]


def over_choices(experiment: Experiment, seed: int) -> Sampler:
    """A child has its parent's choices, one of them redrawn: it stays in the space."""
    return Evolution(experiment, seed, lambda rng, parent: neighbor(rng, parent().choices))


def over_graphs(experiment: Experiment, seed: int) -> Sampler:
    """A child is its parent's network with one random edit, or the beginning of one and the end of another."""
    return Evolution(experiment, seed, edited)


def edited(rng: random.Random, parent: Callable[[], Candidate]) -> GuidedTrial | EditedGraph:
    """A child by edit or crossover; a new draw of the space where no edit leaves a network."""
    first = parent().graph
    if rng.random() < CROSSED:
        second = parent().graph
        try:
            return EditedGraph(crossover(first, second, rng), (fingerprint(first), fingerprint(second)))
        except EditError:
            pass  # two networks need not have a place where one could go on as the other
    try:
        return EditedGraph(mutate(first, rng), (fingerprint(first),))
    except EditError:
        return GuidedTrial(rng)
