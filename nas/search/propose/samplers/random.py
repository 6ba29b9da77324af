"""Uniform draws over the choices: the baseline of every other sampler."""

import random

from nas.search.objectives import Vector
from nas.search.propose.candidate import Candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.samplers.base import SamplerSetup, SamplerTrial


class RandomSampler:
    """Draws uniformly and learns nothing."""

    def __init__(self, setup: SamplerSetup) -> None:
        self.rng = random.Random(setup.seed)

    def ask(self) -> GuidedTrial:
        return GuidedTrial(self.rng)

    def tell(self, trial: SamplerTrial | None, candidate: Candidate | None, values: Vector | None) -> None:
        pass
