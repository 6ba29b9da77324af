"""Regularized evolution: the oldest dies, not the worst (Real et al. 2019, algorithm 1)."""

import random
from collections import deque
from collections.abc import Callable

from nas.errors import EditError
from nas.genome.edit import crossover, mutate
from nas.genome.fingerprint import fingerprint
from nas.search.objectives import Vector
from nas.search.pareto import as_points, dominates
from nas.search.propose.candidate import Candidate, EditedGraph
from nas.search.propose.choices import GuidedTrial, neighbor
from nas.search.propose.samplers.base import SamplerSetup, SamplerTrial
from nas.search.propose.samplers.stall import Stall

POPULATION = 20
TOURNAMENT = 5
CROSSED = 0.25  # of the children that are made by editing graphs

MakeChild = Callable[[random.Random, Callable[[], Candidate]], GuidedTrial | EditedGraph]
"""Makes a child of the parents that a function chooses, one per call."""


class Evolution:
    """A parent is the best of a few random members: with several objectives, one that the fewest of them dominate."""

    def __init__(self, setup: SamplerSetup, make_child: MakeChild) -> None:
        self.rng, self.make_child = random.Random(setup.seed), make_child
        self.size = max(TOURNAMENT, min(POPULATION, setup.trials // 4))
        self.members: deque[tuple[Vector, Candidate]] = deque(maxlen=self.size)
        self.stall = Stall()

    def ask(self) -> GuidedTrial | EditedGraph:
        if len(self.members) < self.size or self.stall:
            return GuidedTrial(self.rng)
        return self.make_child(self.rng, self._parent)

    def tell(self, trial: SamplerTrial | None, candidate: Candidate | None, values: Vector | None) -> None:
        self.stall.tell(candidate, values)
        if candidate is not None and values is not None:
            self.members.append((values, candidate))

    def _parent(self) -> Candidate:
        few = self.rng.sample(list(self.members), TOURNAMENT)
        points = as_points([values for values, _ in few])
        return few[int(dominates(points, points).sum(axis=0).argmin())][1]


def evolve_choices(setup: SamplerSetup) -> Evolution:
    """Return evolution over choices: a child has its parent's, one of them redrawn, so it stays in the space."""
    return Evolution(setup, lambda rng, parent: neighbor(rng, parent().choices))


def evolve_graphs(setup: SamplerSetup) -> Evolution:
    """Return evolution over graphs: a child is its parent with one random edit, or a crossover of two."""
    return Evolution(setup, edited_child)


def edited_child(rng: random.Random, parent: Callable[[], Candidate]) -> GuidedTrial | EditedGraph:
    """Return a child by edit or crossover; a new draw of the space where no edit leaves a network."""
    first = parent().graph
    if rng.random() < CROSSED:
        second = parent().graph
        try:
            return EditedGraph(crossover(first, second, rng), (fingerprint(first), fingerprint(second)))
        except EditError:
            pass  # not every pair of networks has a crossover point
    try:
        return EditedGraph(mutate(first, rng), (fingerprint(first),))
    except EditError:
        return GuidedTrial(rng)
