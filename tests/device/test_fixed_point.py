"""Multipliers and shifts: the nearest factor, and products as exact fractions round them."""

from fractions import Fraction
from math import floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nas.device.fixed_point import divide_by_power, fixed_factor, high_product, rescale, round_half_away

words = st.integers(-(2**31) + 1, 2**31 - 1)


def nearest(value: Fraction) -> int:
    """The nearest integer; halves away from zero."""
    return (1 if value >= 0 else -1) * floor(abs(value) + Fraction(1, 2))


@given(st.floats(1e-9, 1e6))
def test_a_factor_is_known_to_31_bits(factor: float) -> None:
    multiplier, shift = fixed_factor(factor)
    assert 2**30 <= int(multiplier) < 2**31
    found = Fraction(int(multiplier)) / 2**31 * Fraction(2) ** int(shift)
    assert abs(found / Fraction(factor) - 1) <= Fraction(1, 2**31)


def test_factors_too_small_are_zero() -> None:
    assert [int(part) for part in fixed_factor(2.0**-40)] == [0, 0]
    assert [part.tolist() for part in fixed_factor([0.5, 1 - 2**-40, 3.0])] == [[2**30, 2**30, 3 * 2**29], [0, 1, 2]]


@given(words, st.integers(0, 30))
def test_division_rounds_halves_away_from_zero(value: int, exponent: int) -> None:
    assert divide_by_power(np.int64(value), exponent) == nearest(Fraction(value, 2**exponent))  # type: ignore[arg-type]


@given(words, words)
def test_the_upper_half_of_a_product(a: int, b: int) -> None:
    wanted, found = Fraction(a * b, 2**31), int(high_product(np.int64(a), np.int64(b)))  # type: ignore[arg-type]
    assert abs(found - wanted) <= Fraction(1, 2)


@given(st.integers(-(2**20), 2**20), st.floats(1e-6, 8.0))
def test_a_product_is_within_one_of_the_exact_one(value: int, factor: float) -> None:
    found = int(rescale(np.array([value]), fixed_factor(factor))[0])
    assert abs(found - Fraction(value) * Fraction(factor)) <= Fraction(101, 100)


@given(st.integers(-1000, 1000))
def test_halves_are_rounded_away_from_zero(twice: int) -> None:
    assert round_half_away(twice / 2) == nearest(Fraction(twice, 2))
