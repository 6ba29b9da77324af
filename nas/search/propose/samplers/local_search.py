"""Local search: from the best networks known to their neighbors."""

import random

from nas.search.objectives import Vector
from nas.search.pareto import as_points, dominates
from nas.search.propose.candidate import Candidate
from nas.search.propose.choices import Choices, GuidedTrial, neighbor
from nas.search.propose.samplers.base import SamplerSetup, SamplerTrial

PATIENCE = 100  # neighbors in a row without improvement before it restarts


class LocalSearch:
    """Random neighbors of the best network, or of the front; a better one is the next to start from."""

    def __init__(self, setup: SamplerSetup) -> None:
        self.rng = random.Random(setup.seed)
        self.front: list[tuple[Vector, Choices]] = []  # since the last restart
        self.fruitless = 0

    def ask(self) -> GuidedTrial:
        if self.fruitless >= PATIENCE:
            self.front, self.fruitless = [], 0
        return neighbor(self.rng, self.rng.choice(self.front)[1]) if self.front else GuidedTrial(self.rng)

    def tell(self, trial: SamplerTrial | None, candidate: Candidate | None, values: Vector | None) -> None:
        self.fruitless += 1
        if candidate is None or values is None:
            return
        points, mine = as_points([other for other, _ in self.front]), as_points([values])
        if values in [other for other, _ in self.front] or (self.front and dominates(points, mine).any()):
            return
        worse = dominates(mine, points)[0] if self.front else []
        kept = [known for known, out in zip(self.front, worse, strict=True) if not out]
        self.front, self.fruitless = [*kept, (values, candidate.choices)], 0
