"""Simulated families of the published study: false words, coverage, and power against what is stated."""

from math import sqrt

import numpy as np
import pytest
from made import DESIGN

from benchmarks.verdicts import (
    EFFECTS,
    Tally,
    arm_effects,
    drawn_effects,
    effects_at_threshold,
    expected_effects,
    judged_on_errors,
    simulate,
)
from nas.principles.claims import principles
from nas.principles.judging.power import alpha_of_one, planned_power, planned_sd
from nas.principles.study_file import read_study
from nas.search.experiment_file import find_experiment

STUDY = read_study(find_experiment("principles_small"))
CLAIMS = judged_on_errors(STUDY.principles)
FEW = CLAIMS[:4]


def few(spread: float, heavy: bool, families: int = 60) -> Tally:
    return simulate(FEW, STUDY.design, drawn_effects, spread, heavy, families)


def test_arms_get_the_effects_of_their_contrasts() -> None:
    h10 = principles()["h10"]
    made = arm_effects(h10, [4.0])
    assert sum(weight * made[arm] for arm, weight in h10.bounds[0].weights.items()) == pytest.approx(4.0)


def test_a_simulation_counts_what_is_false() -> None:
    found = few(0.0, False)
    assert (found.families, found.decided > 50) == (60, True)
    assert found.covered / found.decided > 0.9
    assert found.up + found.down < 0.2 * found.families


@pytest.mark.slow
@pytest.mark.parametrize("effects", EFFECTS)
@pytest.mark.parametrize(("spread", "heavy"), [(0.0, False), (0.4, False), (0.4, True)])
def test_any_false_word_is_rare_and_decided_intervals_cover(effects: str, spread: float, heavy: bool) -> None:
    families = 400
    found = simulate(CLAIMS, STUDY.design, EFFECTS[effects], spread, heavy, families, seed=7)
    slack = 2 * sqrt(0.05 * 0.95 / families)
    assert found.up / families < 0.05 + slack
    assert found.down / families < 0.05 + slack
    if effects == "drawn":
        assert found.covered / found.decided > 0.95


@pytest.mark.slow
def test_with_the_expected_effects_the_power_is_as_stated() -> None:
    families = 400
    found = simulate(CLAIMS, STUDY.design, expected_effects, 0.0, False, families, seed=1)
    for claim in CLAIMS:
        stated = planned_power(claim, STUDY.design, alpha_of_one(CLAIMS, STUDY.design))
        slack = 3 * sqrt(max(stated * (1 - stated), 0.01) / families) + 0.02  # what is usual is estimated, too
        assert found.held[claim.key] / families == pytest.approx(stated, abs=slack), claim.key


def test_at_the_threshold_every_word_is_false() -> None:
    found = simulate(FEW, STUDY.design, effects_at_threshold, 0.0, False, 200)
    assert (found.up + found.down <= found.decided < 0.12 * 200, found.covered) == (True, 0)


def test_the_planned_deviation_is_that_of_a_contrast_of_independent_arms() -> None:
    rng = np.random.default_rng(2)
    bound = principles()["h10"].bounds[0]
    drawn = rng.normal(0, DESIGN.error_sd, (4_000, 4)) @ np.array(list(bound.weights.values()))
    assert abs(planned_sd(bound, DESIGN) / drawn.std() - 1) < 0.05
