"""The power of a study, stated before anything is trained."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from nas.principles.claims.principle import Bound, Principle
from nas.principles.judging.statistics import joint_power
from nas.principles.study_file import Design


def bound_in_points(bound: Bound, points: float) -> Bound:
    """Return a bound of errors with each of its points worth `points` in this study; other bounds as they are."""
    if bound.metric != "error":
        return bound
    return replace(bound, null=bound.null * points, margin=bound.margin * points, expected=bound.expected * points)


def count_claims(principles: Sequence[Principle]) -> int:
    """Return the number of claims that p values are corrected for, at least 1; controls are not counted."""
    return max(1, sum(not principle.control for principle in principles))


def level_of_test(design: Design, claims: int) -> float:
    """Return alpha of one test at one interim analysis, as in the first step of Holm's correction."""
    return design.alpha / len(design.interim_seeds) / claims


def planned_power(principle: Principle, design: Design, claims: int) -> float:
    """Return a lower bound of the power at the last analysis for the expected effects and the planned deviations."""
    claims = 1 if principle.control else claims
    bounds = [bound_in_points(bound, design.points) for bound in principle.bounds]
    tests = [(bound.expected - bound.null, planned_sd(bound, design)) for bound in bounds]
    seeds = (2 if principle.control else 1) * design.interim_seeds[-1]
    return joint_power(tests, seeds, level_of_test(design, claims))


def analysis_seeds(principle: Principle, design: Design, claims: int) -> tuple[int, ...]:
    """Return the numbers of seeds at which a principle is analyzed: only the first where the power is too low.

    A control has twice the seeds: it is one cheap network, and should not stay undecided.
    """
    if principle.control:
        return tuple(2 * seeds for seeds in design.interim_seeds)
    enough = planned_power(principle, design, claims) >= design.min_power
    return design.interim_seeds if enough else design.interim_seeds[:1]


def planned_sd(bound: Bound, design: Design) -> float:
    """Return the planned standard deviation of the contrast over seeds.

    The arms count as independent: trainings under one seed share too little (docs/principles.md).
    """
    one = design.error_sd if bound.metric == "error" else design.loss_sd
    return one * sqrt(sum(weight**2 for weight in bound.weights.values()))
