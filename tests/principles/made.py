"""Simulated results of trainings."""

from collections.abc import Mapping
from math import exp

import numpy as np

from nas.principles.claims.principle import Principle
from nas.principles.judging.results import Result, Results
from nas.principles.study_file import Design

DESIGN = Design(settings=10, error_sd=1.0, worth=0.5)


def results(
    principle: Principle, effects: Mapping[str, float], rng: np.random.Generator, sd: float = 1.0, settings: int = 10
) -> Results:
    """Return errors around 50 % that differ by the arm's effect in percent of it, and losses around 1 nat."""

    def made(effect: float, z: float) -> Result:
        return Result(50 * exp((effect + z) / 100), 1 + 0.03 * z, 1 + 0.03 * z)

    noise = {arm: rng.normal(0, sd, settings) for arm in principle.arms}
    return {arm: [made(effects.get(arm, 0.0), z) for z in noise[arm]] for arm in principle.arms}
