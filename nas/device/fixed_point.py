"""Arithmetic in integers as TensorFlow Lite defines it: multipliers, shifts and rounding, on arrays.

A factor is a multiplier of 31 bits and a shift: factor = multiplier / 2^31 * 2^shift (Jacob et al. 2018, section 2.2).
Products are rounded twice, as gemmlowp does it: to the upper half of 64 bits, and by the shift to the right.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
LOWEST, HIGHEST = -128, 127  # of 8-bit integers


class FixedFactor(NamedTuple):
    """Factors, one or one per channel, as multipliers and shifts."""

    multiplier: Integers
    shift: Integers


def fixed_factor(factor: Any) -> FixedFactor:
    """Return factors as multipliers and shifts; a factor below 2^-31 is 0."""
    mantissa, shift = np.frexp(np.asarray(factor, np.float64))
    multiplier, shift = np.floor(mantissa * 2**31 + 0.5).astype(np.int64), shift.astype(np.int64)
    is_one = multiplier == 2**31
    multiplier, shift = np.where(is_one, 2**30, multiplier), shift + is_one
    is_tiny = shift < -31
    return FixedFactor(np.where(is_tiny, 0, multiplier), np.where(is_tiny, 0, shift))


def rescale(values: Integers, factor: FixedFactor) -> Integers:
    """Return integers times a factor, rounded."""
    multiplier, shift = factor
    return divide_by_power(high_product(values << np.maximum(shift, 0), multiplier), np.maximum(-shift, 0))


def high_product(a: Integers, b: Integers | int) -> Integers:
    """Return the rounded upper half of twice the products of two lists of 32-bit integers."""
    product = a * b
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    found: Integers = np.minimum(np.sign(nudged) * (np.abs(nudged) >> 31), 2**31 - 1)
    return found


def divide_by_power(values: Integers, exponent: Integers | int) -> Integers:
    """Return integers divided by 2^exponent, rounded to the nearest; halves away from zero."""
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (values < 0)
    found: Integers = (values >> exponent) + ((values & mask) > threshold)
    return found


def round_half_away(values: Any) -> Integers:
    """Return numbers rounded to the nearest integer, halves away from zero."""
    found: Integers = (np.sign(values) * np.floor(np.abs(values) + 0.5)).astype(np.int64)
    return found
