"""The power of a study, stated before anything is trained."""

from collections.abc import Sequence
from math import sqrt

from nas.principles.claims.principle import Bound, Principle
from nas.principles.judging.statistics import power
from nas.principles.study_file import Design


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
    """Return a lower bound of the chance that the claim holds, for its expected effects and planned deviations.

    alpha: of one interval. The chances that single bounds are missed are added up.
    """
    missed = [
        1 - power(bound.expected - threshold(bound, design), planned_sd(bound, design), design.settings, alpha)
        for bound in principle.bounds
    ]
    return max(0.0, 1 - sum(missed))


def planned_sd(bound: Bound, design: Design) -> float:
    """Return the planned standard deviation of the contrast over settings.

    The arms count as independent: trainings of different networks from one seed share too little.
    """
    one = design.error_sd if bound.metric == "error" else design.loss_sd
    return one * sqrt(bound.weight_sum)
