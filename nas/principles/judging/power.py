"""The power of a study, stated before anything is trained."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from nas.principles.claims.principle import Bound, Principle
from nas.principles.judging.statistics import critical_t
from nas.principles.study_file import Design

DRAWS = 4_000  # of a study, from which power is told


def threshold(bound: Bound, design: Design) -> float:
    """Return what the contrast must exceed: what is worth it, or less than that lost."""
    worth = design.worth if bound.metric == "error" else design.worth_loss
    return worth if bound.sense == "better" else -worth


def count_bounds(principles: Sequence[Principle]) -> int:
    """Return the number of bounds that intervals are corrected for, at least 1; those of controls are not counted."""
    return max(1, sum(len(principle.bounds) for principle in principles if principle.control is None))


def alpha_of_one(principles: Sequence[Principle], design: Design) -> float:
    """Return alpha of the interval of one bound, so that all hold together (Bonferroni)."""
    return design.alpha / count_bounds(principles)


def planned_power(principle: Principle, design: Design, alpha: float) -> float:
    """Return the chance that all bounds of a claim hold, for its expected effects and planned deviations.

    Simulated, as bounds of one claim share arms. alpha: of one interval. The usual variance is taken to be the planned
    one, worth as many degrees of freedom as a sample.
    """
    rng, arms, n = np.random.default_rng(0), list(principle.arms), design.settings
    critical = critical_t(2 * (n - 1), alpha)
    noise = {kind: rng.normal(size=(DRAWS, n, len(arms))) for kind in (True, False)}
    held = np.ones(DRAWS, bool)
    for bound in principle.bounds:
        weights = np.array([bound.weights.get(arm, 0.0) for arm in arms])
        values = sd_of_arm(bound, design) * noise[bound.metric == "error"] @ weights + bound.expected
        variance = (values.var(axis=1, ddof=1) + planned_sd(bound, design) ** 2) / 2
        held &= values.mean(axis=1) - critical * np.sqrt(variance / n) > threshold(bound, design)
    return float(held.mean())


def planned_sd(bound: Bound, design: Design) -> float:
    """Return the planned standard deviation of the contrast over settings.

    The arms count as independent: trainings of different networks from one seed share too little.
    """
    return sd_of_arm(bound, design) * sqrt(bound.weight_sum)


def sd_of_arm(bound: Bound, design: Design) -> float:
    """Return the planned standard deviation of one arm over settings, in the units of the bound."""
    return design.error_sd if bound.metric == "error" else design.loss_sd
