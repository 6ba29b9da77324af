"""Ranges of any size: values in order, positions from 0 to 1, another value that is another, little memory."""

import random
import tracemalloc
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.genome.trial import Choice
from nas.search.distributions import Distribution, OneOf, to_optuna
from nas.search.ranges import LEVELS, MAX_WHOLE, FloatRange, IntRange

whole = st.integers(-(10**15), 10**15)
small = st.floats(-1e6, 1e6)


@st.composite
def int_ranges(draw: st.DrawFn) -> IntRange:
    if draw(st.booleans()):
        low = draw(st.integers(1, 10**15))
        return IntRange(low, draw(st.integers(low, MAX_WHOLE)), log=True)
    low = draw(whole)
    return IntRange(low, draw(st.integers(low, low + 10 ** draw(st.integers(0, 15)))), draw(st.integers(1, 10**6)))


@st.composite
def float_ranges(draw: st.DrawFn) -> FloatRange:
    if draw(st.booleans()):
        low = draw(st.floats(1e-300, 1e6))
        return FloatRange(low, draw(st.floats(low, 1e300)), log=True)
    low, span = draw(small), draw(st.floats(0, 1e6))
    step = draw(st.none() | st.floats(1e-7, 1e6))
    return FloatRange(low, low + span, step)


VALUES: list[Choice] = [0, 1, True, False, 1.0, "a", "b"]
lists = st.lists(st.sampled_from(VALUES), min_size=1, unique_by=lambda value: (type(value), value)).map(
    lambda values: OneOf(tuple(values))
)
distributions: st.SearchStrategy[Distribution] = st.one_of(int_ranges(), float_ranges(), lists)


@given(distributions, st.integers(0, 999))
def test_what_is_drawn_is_allowed_and_has_a_position(distribution: Distribution, seed: int) -> None:
    value = distribution.draw(random.Random(seed))
    assert distribution.allows(value)
    assert 0 <= distribution.position(value) <= 1


@given(distributions)
def test_positions_begin_at_0_end_at_1_and_rise(distribution: Distribution) -> None:
    values = distribution.values
    some = sorted({*range(len(values))[:3], *range(len(values))[-3:], len(values) // 2} - {len(values)})
    positions = [distribution.position(values[i]) for i in some]
    assert all(distribution.allows(values[i]) for i in some)
    assert positions == sorted(positions)
    assert positions[0] == 0
    assert positions[-1] == (1 if len(values) > 1 else 0)


@given(st.integers(1, 10**5), st.integers(1, 10**5))
def test_a_position_is_the_share_of_the_range_below(low: int, size: int) -> None:
    half = pytest.approx(0.5)
    assert IntRange(low, low + 2 * size).position(low + size) == half
    assert FloatRange(low, low + 2 * size).position(low + size) == half
    if size > 1:
        assert IntRange(low, low * size**2, log=True).position(low * size) == half
        assert FloatRange(low, low * size**2, log=True).position(low * size) == half
    assert OneOf(tuple(range(2 * (size % 9) + 1))).position(size % 9) == (half if size % 9 else 0)


@given(distributions, st.integers(0, 999))
def test_another_value_is_another_wherever_there_are_two(distribution: Distribution, seed: int) -> None:
    rng = random.Random(seed)
    value = distribution.draw(rng)
    other = distribution.draw_other(rng, value)
    assert distribution.allows(other)
    if len(distribution.values) > 1 and not (isinstance(distribution, FloatRange) and distribution.step is None):
        assert (type(other), other) != (type(value), value)


@pytest.mark.parametrize("distribution", [IntRange(1, 4), IntRange(1, 4, log=True), FloatRange(0.0, 0.3, 0.1),
                                          OneOf((1, True, 1.0, "1"))])  # fmt: skip
def test_every_other_value_is_reached(distribution: Distribution) -> None:
    rng, all_values = random.Random(0), [(type(value), value) for value in distribution.values]
    for value in distribution.values:
        found = [distribution.draw_other(rng, value) for _ in range(200)]
        assert {(type(other), other) for other in found} == {*all_values} - {(type(value), value)}


@given(int_ranges() | float_ranges(), st.floats(-1e16, 1e16), st.integers(0, 999))
def test_the_nearest_value(distribution: IntRange | FloatRange, number: float, seed: int) -> None:
    nearest = distribution.nearest(number)
    assert distribution.allows(nearest)
    some = [*distribution.values[:2], *distribution.values[-2:], distribution.draw(random.Random(seed))]
    slack = 1e-9 * max(abs(distribution.low), abs(distribution.high))
    assert abs(nearest - number) <= min(abs(value - number) for value in some) + slack
    assert all(distribution.nearest(value) == pytest.approx(value) for value in some)


def test_another_of_a_value_of_another_range_is_any() -> None:
    rng = random.Random(0)
    assert {IntRange(1, 3).draw_other(rng, 8) for _ in range(99)} == {1, 2, 3}
    assert {OneOf(("a", "b")).draw_other(rng, "c") for _ in range(99)} == {"a", "b"}


HUGE = [IntRange(1, 10**9), IntRange(-MAX_WHOLE, MAX_WHOLE), IntRange(1, MAX_WHOLE, log=True),
        FloatRange(0.0, 1.0, 1e-12), FloatRange(0.0, 1e12, 0.25)]  # fmt: skip


@pytest.mark.parametrize("distribution", HUGE, ids=str)
def test_a_huge_range_takes_little_memory(distribution: IntRange | FloatRange) -> None:
    rng = random.Random(0)
    tracemalloc.start()
    try:
        values = distribution.values
        middle = values[len(values) // 2]
        assert bisect_left(values, middle) == len(values) // 2
        for _ in range(20):
            other = distribution.draw_other(rng, distribution.draw(rng))
            assert distribution.allows(other)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_steps_are_a_sequence() -> None:
    steps = FloatRange(0.0, 1.0, 0.25).values
    assert list(steps) == [0.0, 0.25, 0.5, 0.75, 1.0] == [*steps[:2], *steps[2:]]
    assert steps[-1] == 1.0
    assert len(FloatRange(1.0, 2.0).values) == len(FloatRange(1e-300, 1e300, log=True).values) == LEVELS
    with pytest.raises(IndexError):
        steps[5]


@pytest.mark.parametrize("make", [
    lambda: IntRange(0, MAX_WHOLE + 1), lambda: IntRange(-(10**20), 0), lambda: FloatRange(0.0, 1.0, 1e-20),
    lambda: FloatRange(1e20, 1e20 + 1e6, 1.0), lambda: FloatRange(-1.7e308, 1.7e308),
])  # fmt: skip
def test_numbers_that_floats_do_not_tell_apart_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"too large|too small|no number"):
        make()  # type: ignore[operator]


@pytest.mark.filterwarnings("ignore:The distribution is specified by")
@given(float_ranges(), st.integers(0, 99))
def test_optuna_takes_every_value(distribution: FloatRange, seed: int) -> None:
    value = distribution.draw(random.Random(seed))
    assert to_optuna(distribution)._contains(value)
