"""Simulated results of trainings."""

from collections.abc import Mapping

import numpy as np

from nas.principles.claims.principle import Principle
from nas.principles.judging.results import Result, Results
from nas.principles.study_file import Design

DESIGN = Design(settings=10, error_sd=1.0)


def results(
    principle: Principle, effects: Mapping[str, float], rng: np.random.Generator, sd: float = 1.0, settings: int = 10
) -> Results:
    """Return normally distributed errors around 50 points plus the arm's effect, and losses around 1 nat."""
    noise = {arm: rng.normal(0, sd, settings) for arm in principle.arms}
    return {
        arm: [Result(50 + effects.get(arm, 0.0) + z, 1 + 0.03 * z, 1 + 0.03 * z) for z in noise[arm]]
        for arm in principle.arms
    }
