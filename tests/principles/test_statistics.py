import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma, polygamma
from scipy.stats import ttest_1samp

from nas.principles.judging.statistics import (
    MAX_SETTINGS,
    UsualVariance,
    _inverse_trigamma,
    estimate,
    settings_for,
    usual_variance,
)
from nas.statistics import holm

NOTHING = UsualVariance()
values = st.lists(st.floats(-50, 50), min_size=2, max_size=12).filter(lambda row: np.std(row) > 1e-3)


@settings(max_examples=20)
@given(values)
def test_without_knowledge_of_variances_it_is_student(row: list[float]) -> None:
    found = estimate(row, NOTHING, 2.0, 0.05)
    interval = ttest_1samp(row, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.mean, found.sd) == pytest.approx((np.mean(row), np.std(row, ddof=1)))


def test_the_usual_variance_of_many_is_that_they_were_drawn_from() -> None:
    """Sample variances of contrasts whose true ones are scaled inverse chi-squared (Smyth 2004, section 3)."""
    rng = np.random.default_rng(0)
    freedom, prior, value = 11, 6.0, 2.5
    true = value * prior / rng.chisquare(prior, 20_000)
    found = usual_variance(list(true * rng.chisquare(freedom, 20_000) / freedom), [freedom] * 20_000)
    assert found.value == pytest.approx(value, rel=0.03)
    assert found.freedom == pytest.approx(prior, rel=0.1)


def test_it_is_worth_no_more_than_a_sample() -> None:
    equal = usual_variance([1.0] * 50, [11] * 50)
    assert equal.freedom == 11
    assert usual_variance([1.0, 2.0], [11, 11]) == NOTHING
    assert usual_variance([0.0] * 9, [11] * 9) == NOTHING


def test_a_moderated_variance_lies_between_its_own_and_the_usual_one() -> None:
    row, usual = [0.0, 0.1, 0.2, 0.1], UsualVariance(4.0, 3.0)
    alone, moderated = estimate(row, NOTHING, 2.0, 0.05), estimate(row, usual, 2.0, 0.05)
    assert moderated.width > alone.width
    assert moderated.high - moderated.mean == pytest.approx(moderated.width / 2)
    assert estimate(row, usual, 0.0, 0.05).width < moderated.width


@pytest.mark.parametrize("x", [0.05, 0.4, 1.0, 7.0, 300.0])
def test_the_inverse_trigamma(x: float) -> None:
    assert _inverse_trigamma(float(polygamma(1, x))) == pytest.approx(x, rel=1e-6)
    assert digamma(1.0) < 0  # the reference is the right function


def test_settings_needed_narrow_the_interval() -> None:
    assert settings_for(3.0, 0.5) == 36
    assert settings_for(0.1, 0.5) == 2
    assert settings_for(1.0, 0.0) == settings_for(1e9, 0.5) == MAX_SETTINGS


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
