"""The nonlinear functions of the runtime's reference kernels, as the output for each of the 256 inputs.

Sigmoid and tanh are those of gemmlowp (fixedpoint.h) on 32-bit integers: numbers are raw integers, and the number of
their integer bits is in the names or comments. Hard swish is in 16-bit integers.
"""

from math import floor, frexp, ldexp

import numpy as np

from nas.device.fixed_point import HIGHEST, LOWEST, Integers, divide_by_power, fixed_factor, high_product, rescale

INTEGER_BITS = 4  # of the inputs of sigmoid and tanh
ONE = 2**31 - 1  # with no integer bits
EXPONENTIALS = {-2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242}
"""exp(-2^n) for each n, with no integer bits."""


def sigmoid_table(scale: float, zero_point: int) -> Integers:
    """Return 256 outputs of LOGISTIC, whose scale is 1 / 256 and zero point -128."""
    centered = np.arange(LOWEST, HIGHEST + 1, dtype=np.int64) - zero_point
    inputs = _to_fixed(centered, scale)
    found = _one_over_one_plus(_exp(-np.abs(inputs), INTEGER_BITS))
    found = np.where(inputs == 0, 1 << 30, np.where(inputs > 0, found, ONE - found))
    return _saturated(centered, scale, divide_by_power(found, 31 - 8) + LOWEST)


def tanh_table(scale: float, zero_point: int) -> Integers:
    """Return 256 outputs of TANH, whose scale is 1 / 128 and zero point 0."""
    centered = np.arange(LOWEST, HIGHEST + 1, dtype=np.int64) - zero_point
    inputs = _to_fixed(centered, scale)
    found = _one_minus_over_one_plus(_exp(-np.abs(inputs), INTEGER_BITS + 1))
    return _saturated(centered, scale, divide_by_power(np.sign(inputs) * found, 31 - 7))


def _to_fixed(centered: Integers, scale: float) -> Integers:
    """Return inputs with four integer bits; too large ones are not to be used."""
    factor = fixed_factor(np.float64(scale) * 2 ** (31 - INTEGER_BITS))
    inside = np.abs(centered) < _radius(scale)
    return rescale(np.where(inside, centered, 0), factor)


def _radius(scale: float) -> int:
    """Return the least integer whose input is beyond four integer bits."""
    shift = frexp(float(np.float64(scale) * 2 ** (31 - INTEGER_BITS)))[1]
    radius: float = ldexp(2**INTEGER_BITS - 1, 31 - INTEGER_BITS - shift)
    return floor(radius)


def _saturated(centered: Integers, scale: float, found: Integers) -> Integers:
    radius = _radius(scale)
    found = np.where(centered <= -radius, LOWEST, np.where(centered >= radius, HIGHEST, found))
    return np.clip(found, np.int64(LOWEST), np.int64(HIGHEST))


def _exp(inputs: Integers, integer_bits: int) -> Integers:
    """Return exp of numbers of at most 0, with no integer bits."""
    fraction = 31 - integer_bits
    quarter = 1 << (fraction - 2)
    rest = (inputs & (quarter - 1)) - quarter
    result, remainder = _exp_of_quarter(rest << integer_bits), rest - inputs
    for exponent, factor in EXPONENTIALS.items():
        if integer_bits > exponent:
            applies = remainder & (1 << (fraction + exponent)) != 0
            result = np.where(applies, high_product(result, factor), result)
    return np.where(inputs == 0, ONE, result)


def _exp_of_quarter(inputs: Integers) -> Integers:
    """Return exp of numbers from -1/4 to 0, by its series around -1/8."""
    x = inputs + (1 << 28)
    x2 = high_product(x, x)
    x3, x4 = high_product(x2, x), high_product(x2, x2)
    third = high_product(divide_by_power(x4, 2) + x3, 715827883)
    series = divide_by_power(third + x2, 1)
    return 1895147668 + high_product(x + series, 1895147668)


def _one_over_one_plus(x: Integers) -> Integers:
    """Return 1 / (1 + x) for x from 0 to 1, with no integer bits."""
    return _at_most_one(_two_over_one_plus(x) << 1)


def _one_minus_over_one_plus(x: Integers) -> Integers:
    """Return (1 - x) / (1 + x) for x from 0 to 1, with no integer bits."""
    return _at_most_one((_two_over_one_plus(x) - (1 << 29)) << 2)


def _at_most_one(x: Integers) -> Integers:
    return np.minimum(x, np.int64(ONE))


def _two_over_one_plus(x: Integers) -> Integers:
    """Return 2 / (1 + x) for x from 0 to 1, with two integer bits, by three steps of Newton's method."""
    total = x + ONE
    half = np.sign(total) * ((np.abs(total) + 1) >> 1)
    found = 1515870810 + high_product(half, -1010580540)
    for _ in range(3):
        missing = (1 << 29) - high_product(half, found)
        found = found + (high_product(found, missing) << 2)
    return found


def hard_swish_table(scale: np.float32, zero_point: int, output_scale: np.float32, output_zero_point: int) -> Integers:
    """Return 256 outputs of HARD_SWISH."""
    centered = np.arange(LOWEST, HIGHEST + 1, dtype=np.int64) - zero_point
    fine = np.float32(1 / 128) * scale
    output, output_shift = _sixteen_bits(fine / output_scale)
    gate_factor, gate_shift = _sixteen_bits(fine / (np.float32(3) / np.float32(32768)))
    inputs = centered << 7
    gate = inputs
    if gate_shift > 0:
        gate = _clip16(gate << (gate_shift - 1))
    gate = _high_product16(gate, gate_factor)
    if gate_shift > 0:
        gate = _clip16(gate << 1)
    if gate_shift < 0:
        gate = divide_by_power(gate, -gate_shift)
    gate = (gate + (1 << 15)) >> 1
    product = gate * _high_product16(inputs, output)
    found: Integers = np.sign(product) * (np.abs(product) >> 15)
    found = divide_by_power(found, -output_shift) + output_zero_point
    return np.clip(found, np.int64(LOWEST), np.int64(HIGHEST))


def _sixteen_bits(factor: np.float32) -> tuple[int, int]:
    """Return a factor as a multiplier of 15 bits and a shift."""
    multiplier, shift = fixed_factor(factor)
    return min((int(multiplier) + (1 << 15)) >> 16, 2**15 - 1), int(shift)


def _high_product16(values: Integers, multiplier: int) -> Integers:
    """Return the rounded upper half of twice the products of 16-bit integers."""
    product = values * multiplier
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    found: Integers = np.minimum(np.sign(nudged) * (np.abs(nudged) >> 15), 2**15 - 1)
    return found


def _clip16(values: Integers) -> Integers:
    clipped: Integers = np.clip(values, -(2**15), 2**15 - 1)
    return clipped
