"""What is learnt on made spaces: ratios of known regrets, and a reference that no search beats by chance."""

import random

import numpy as np
import pytest

from benchmarks.learnt import KINDS, best_error, ratio_of_regrets, reference, regrets, smooth_space


def test_the_ratio_of_known_regrets_and_its_interval() -> None:
    half = np.array([[0.1, 0.2]] * 8)
    assert ratio_of_regrets([half]) == pytest.approx((0.5, 0.5, 0.5))
    assert ratio_of_regrets([half, half * [4, 1]]) == pytest.approx((1.0, 1.0, 1.0))
    spread = np.array([[0.1, 0.2], [0.3, 0.2]] * 10)
    ratio, low, high = ratio_of_regrets([spread])
    assert ratio == pytest.approx(1.0)
    assert 0.6 < low < 0.9 < 1.1 < high < 1.4


def test_a_sampler_without_regret_has_a_ratio_near_0() -> None:
    assert ratio_of_regrets([np.array([[0.0, 0.1]] * 3)])[0] < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_a_smooth_space_has_one_objective_and_networks_inside(kind: str) -> None:
    made = smooth_space(kind, 1)
    assert made.objectives == ("error",)
    assert made.choices >= 4
    drawn = [each for seed in range(400) if (each := made.draw(random.Random(seed))) and made.budget.allows(each)]
    assert drawn
    assert reference(made) <= min(map(made.true_error, drawn[:100])) + 0.05


def test_uniform_draws_have_no_more_regret_than_themselves() -> None:
    mine, chance = regrets("random", "widths", 0)
    assert mine == chance >= 0
    assert best_error(smooth_space("widths", 0), "random") > 0.02
