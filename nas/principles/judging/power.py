"""The power of a study, stated before anything is trained."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from nas.principles.claims.principle import Bound, Principle
from nas.principles.judging.statistics import joint_power
from nas.principles.study_file import Design


def scaled(bound: Bound, points: float) -> Bound:
    """A bound with its points worth so many of this study's."""
    if bound.metric != "error":
        return bound
    return replace(bound, null=bound.null * points, margin=bound.margin * points, expected=bound.expected * points)


def size(principles: Sequence[Principle]) -> int:
    """Members of the family; controls are none."""
    return max(1, sum(not principle.control for principle in principles))


def level(design: Design, members: int) -> float:
    """Alpha of one test at one look, as the first step of Holm's correction has it."""
    return design.alpha / len(design.looks) / members


def planned_power(principle: Principle, design: Design, members: int) -> float:
    """The power, at least, at the last look, for the effects expected and the deviation planned."""
    members = 1 if principle.control else members
    bounds = [scaled(bound, design.points) for bound in principle.bounds]
    tests = [(bound.expected - bound.null, planned_sd(bound, design)) for bound in bounds]
    seeds = (2 if principle.control else 1) * design.looks[-1]
    return joint_power(tests, seeds, level(design, members))


def looks(principle: Principle, design: Design, members: int) -> tuple[int, ...]:
    """The looks that a principle is given: the first only, where no power can be promised at the last.

    A control has twice the seeds: it is one cheap network, and should not be left open.
    """
    if principle.control:
        return tuple(2 * seeds for seeds in design.looks)
    return design.looks if planned_power(principle, design, members) >= design.futile else design.looks[:1]


def planned_sd(bound: Bound, design: Design) -> float:
    """Of the contrast over seeds: trainings under one seed share too little to count on (docs/principles.md)."""
    one = design.sd if bound.metric == "error" else design.loss_sd
    return one * sqrt(sum(weight**2 for weight in bound.weights.values()))
