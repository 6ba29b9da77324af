"""Intervals and tests are those of scipy where it has them, and hold as often as they say where it has none."""

from itertools import product
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test, spearmanr, ttest_ind

from nas.statistics import falling_p, mean_interval, paired_interval, pooled_interval, share_interval, unpaired_interval

shares = st.floats(0.0, 1.0)


@given(st.integers(1, 500), shares)
def test_the_interval_of_a_share_is_wilsons(total: int, share: float) -> None:
    count = round(share * total)
    expected = binomtest(count, total).proportion_ci(method="wilson")
    assert share_interval(count, total) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.lists(shares, min_size=2, max_size=6), st.lists(shares, min_size=2, max_size=6))
def test_two_groups_are_compared_by_students_t(first: list[float], second: list[float]) -> None:
    assume(min(map(np.ptp, (first, second))) > 1e-6)  # scipy warns of groups without a spread
    expected = ttest_ind(second, first).confidence_interval()
    assert pooled_interval([first, second]) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_further_groups_make_the_spread_better_known() -> None:
    pair = [[0.10, 0.12], [0.20, 0.22]]
    alone, among = pooled_interval(pair), pooled_interval([*pair, [0.3, 0.32], [0.4, 0.42]])
    assert alone is not None
    assert among is not None
    assert alone[0] < among[0] < 0.1 < among[1] < alone[1]
    assert pooled_interval([[0.1], [0.2]]) is None
    assert mean_interval([0.1]) == (0.1, 0.1)


def binomial(count: int, total: int, share: float) -> float:
    return comb(total, count) * share**count * (1 - share) ** (total - count)


@pytest.mark.parametrize(("first", "second"), [(0.02, 0.02), (0.02, 0.1), (0.1, 0.3), (0.5, 0.5), (0.0, 0.05)])
def test_unpaired_shares_are_covered(first: float, second: float) -> None:
    total, covered = 40, 0.0
    for a, b in product(range(total + 1), repeat=2):
        low, high = unpaired_interval(a, b, total)
        covered += (low <= second - first <= high) * binomial(a, total, first) * binomial(b, total, second)
    assert 0.94 <= covered <= 1


@pytest.mark.parametrize(("first", "second"), [(0.02, 0.02), (0.02, 0.1), (0.1, 0.15), (0.3, 0.1), (0.0, 0.05)])
def test_paired_shares_are_covered(first: float, second: float) -> None:
    """The shares are of cases that count in one alone; the third kind counts in both or in neither."""
    total, covered = 40, 0.0
    for a, b in product(range(total + 1), repeat=2):
        if a + b > total:
            continue
        low, high = paired_interval(a, b, total)
        ways = factorial(total) / (factorial(a) * factorial(b) * factorial(total - a - b))
        chance = ways * first**a * second**b * (1 - first - second) ** (total - a - b)
        covered += (low <= second - first <= high) * chance
    assert 0.94 <= covered <= 1


@given(st.integers(1, 300), shares, shares)
def test_the_order_of_two_networks_changes_the_sign_alone(total: int, one: float, other: float) -> None:
    first, second = round(one * total), round(other * total)
    low, high = unpaired_interval(first, second, total)
    assert unpaired_interval(second, first, total) == pytest.approx((-high, -low))
    only = round(other * (total - first))
    low, high = paired_interval(first, only, total)
    assert paired_interval(only, first, total) == pytest.approx((-high, -low))


@pytest.mark.parametrize("seed", range(3))
def test_the_test_of_an_order_is_that_of_scipy(seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 5, 7).tolist()  # with ties
    places = np.arange(7)
    expected = permutation_test(
        (values,), lambda x: spearmanr(x, places).statistic, permutation_type="pairings", alternative="less",
        n_resamples=np.inf,
    )  # fmt: skip
    assert falling_p(values, 9_999) == pytest.approx(expected.pvalue, abs=0.02)


def test_in_a_random_order_every_p_is_as_likely() -> None:
    generator = np.random.default_rng(0)
    found = [falling_p(generator.random(20).tolist(), 99, seed) for seed in range(400)]
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)
    assert falling_p([5, 4, 3, 2, 1, 0, -1, -2]) == 0.001
    assert falling_p([1.0] * 9) == 1
