import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from nas.principles.judging.statistics import estimate, holm, joint_power, sampling_error, seeds_for, t_test_power

PLANNED = json.loads(Path(__file__).with_name("seed_power.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("table", "alpha"), [("one_sided_05", 0.05), ("holm_over_20", 0.0025)])
def test_seeds_are_those_of_the_planned_tables(table: str, alpha: float) -> None:
    for sd, row in PLANNED[table].items():
        found = {effect: seeds_for([(float(effect), float(sd))], alpha) for effect in row}
        assert found == row, f"sd {sd}"


def test_seeds_for_an_equivalence_are_those_of_the_planned_table() -> None:
    for sd, seeds in PLANNED["equivalence_half_a_point"].items():
        assert seeds_for([(0.5, float(sd))] * 2, 0.05) == seeds


def test_no_number_of_seeds_finds_a_zero_effect() -> None:
    assert seeds_for([(0.0, 1.0)], 0.05) is None
    assert seeds_for([(0.5, 1.0), (0.0, 1.0)], 0.05) is None


def test_power_is_the_share_of_tests_that_find_the_effect() -> None:
    draws = np.random.default_rng(0).normal(0.7, 1.0, (20_000, 8))
    found = float((ttest_1samp(draws, 0.0, axis=1, alternative="greater").pvalue < 0.05).mean())
    assert t_test_power(0.7, 1.0, 8, 0.05) == pytest.approx(found, abs=0.01)


values = st.lists(st.floats(-50, 50), min_size=2, max_size=12).filter(lambda row: np.std(row) > 1e-3)


@settings(max_examples=20)
@given(values, st.floats(-5, 5))
def test_an_estimate_agrees_with_the_reference(row: list[float], null: float) -> None:
    found = estimate(row, null, null + 1, 0.95)
    above = ttest_1samp(row, null, alternative="greater")
    below = ttest_1samp(row, null + 1, alternative="less")
    assert (found.p, found.q) == pytest.approx((above.pvalue, below.pvalue), abs=1e-9)
    interval = ttest_1samp(row, null).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_values_without_deviation_are_certain() -> None:
    assert estimate([1.0, 1.0], 0.0, 0.5).p == 0
    assert estimate([0.0, 0.0], 0.0, 0.5).p == 1
    assert estimate([0.0, 0.0], 0.0, 0.5).q == 0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_holm_lies_between_the_raw_values_and_bonferroni_and_keeps_their_order(raw: list[float]) -> None:
    adjusted = holm(raw)
    for p, q in zip(raw, adjusted, strict=True):
        assert min(p, 1.0) <= q <= min(1.0, len(raw) * p)
    order = sorted(range(len(raw)), key=lambda i: raw[i])
    assert sorted(adjusted) == [adjusted[i] for i in order]


def test_joint_power_falls_with_every_test() -> None:
    alone = joint_power([(1.0, 1.0)], 10, 0.05)
    assert 0 < joint_power([(1.0, 1.0), (1.0, 1.0)], 10, 0.05) < alone < 1


def test_images_that_both_arms_fail_leave_no_sampling_error() -> None:
    assert sampling_error(np.zeros(100)) == 0
    apart = np.concatenate([np.ones(10), np.zeros(90)])
    assert sampling_error(apart) == pytest.approx((0.1 * 0.9 / 99) ** 0.5)
