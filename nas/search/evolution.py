"""Regularised evolution: the oldest dies, not the worst (Real et al. 2019, algorithm 1)."""

import random
from collections import deque
from typing import Any

from nas.search.draw import Choices, Draft, Draw, neighbour
from nas.search.experiment import Experiment
from nas.search.samplers import Objectives, beats, objectives

POPULATION = 20
TOURNAMENT = 5


class Evolution:
    """A child is the best of a few random members with one choice redrawn.

    Of several objectives, the best is one that the fewest of the few beat.
    """

    def __init__(self, experiment: Experiment, seed: int) -> None:
        self.names, self.rng = experiment.objectives, random.Random(seed)
        self.size = max(TOURNAMENT, min(POPULATION, experiment.trials // 4))
        self.members: deque[tuple[Objectives, Choices]] = deque(maxlen=self.size)

    def ask(self) -> Draw:
        if len(self.members) < self.size:
            return Draw(self.rng)
        few = self.rng.sample(list(self.members), TOURNAMENT)
        _, parent = min(few, key=lambda member: sum(beats(other, member[0]) for other, _ in few))
        return neighbour(self.rng, parent)

    def tell(self, trial: Any, draft: Draft | None, error: float | None) -> None:
        if draft is not None and error is not None:
            self.members.append((objectives(self.names, error, draft.cost), draft.choices))
