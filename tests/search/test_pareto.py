"""The front and its volume, held against definitions and against Optuna's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas.search.pareto import Points, as_points, front_of, hypervolume, merge, on_front
from nas.search.trial import TrialRecord

coarse = st.integers(0, 8).map(lambda n: n / 8)  # few values, so that ties and duplicates are common
clouds = st.tuples(st.integers(0, 30), st.integers(1, 4)).flatmap(
    lambda size: arrays(np.float64, size, elements=coarse)
)


def dominates(a: Points, b: Points) -> bool:
    return bool((a <= b).all() and (a < b).any())


@given(clouds)
def test_the_front_is_what_no_point_dominates(points: Points) -> None:
    expected = [not any(dominates(other, point) for other in points) for point in points]
    assert on_front(points).tolist() == expected


class Scored(TrialRecord):
    """Only what a front asks of a record."""

    def __init__(self, number: int, values: tuple[float, ...] | None) -> None:
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "values", values)

    def objectives(self, names: tuple[str, ...]) -> tuple[float, ...] | None:
        return self.__dict__["values"]  # type: ignore[no-any-return]

    __hash__ = None  # type: ignore[assignment]


@given(clouds, st.permutations(range(31)))
def test_the_front_of_records_has_the_first_of_equals(points: Points, order: list[int]) -> None:
    records = [Scored(order[i], tuple(values)) for i, values in enumerate(points.tolist())]
    front = front_of([*records, Scored(99, None)], ("error",))
    first = {
        tuple(values): min(r.number for r in records if r.objectives(()) == tuple(values)) for values in points.tolist()
    }
    expected = {first[tuple(values)] for values in points[on_front(points)].tolist()}
    assert [record.number for record in front] == [record.number for record in records if record.number in expected]


@given(clouds, st.integers(0, 30))
def test_merging_in_parts_gives_the_front_of_all(points: Points, cut: int) -> None:
    empty = np.empty((0, points.shape[1]))
    parts = merge(merge(empty, points[:cut]), points[cut:])
    assert np.array_equal(parts, np.unique(points[on_front(points)], axis=0))


@given(clouds.filter(lambda points: points.shape[1] > 1))
@settings(deadline=None)
def test_hypervolume_equals_optunas(points: Points) -> None:
    from optuna._hypervolume import compute_hypervolume

    reference = np.full(points.shape[1], 0.9)
    inside = points[(points < reference).all(axis=1)]
    expected = compute_hypervolume(inside, reference) if len(inside) else 0.0
    assert hypervolume(points, reference.tolist()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_hypervolume_of_random_fronts_equals_optunas(objectives: int) -> None:
    from optuna._hypervolume import compute_hypervolume

    generator = np.random.default_rng(objectives)
    for _ in range(5):
        points = generator.random((40, objectives))
        points = points[on_front(points)]
        expected = compute_hypervolume(points, np.ones(objectives))
        assert hypervolume(points, [1.0] * objectives) == pytest.approx(expected, abs=1e-12)


@given(clouds, st.permutations(range(30)))
def test_hypervolume_ignores_order_duplicates_and_what_is_not_finite(points: Points, order: list[int]) -> None:
    reference = [1.0] * points.shape[1]
    shuffled = points[[i for i in order if i < len(points)]]
    strange = np.full((3, points.shape[1]), [[np.nan], [np.inf], [-np.inf]])
    more = np.concatenate([shuffled, points, strange])
    assert hypervolume(more, reference) == pytest.approx(hypervolume(points, reference), abs=1e-12)


def test_a_point_that_is_not_finite_is_never_on_the_front() -> None:
    points = as_points([(0.5, 1.0), (float("-inf"), 0.0), (float("nan"), 0.0), (None, None), (0.5, 1.0)])
    assert on_front(points).tolist() == [True, False, False, False, True]


def test_a_large_front_is_found_across_chunks() -> None:
    x = np.linspace(0, 1, 700)
    line = np.stack([x, 1 - x], axis=1)
    assert on_front(np.concatenate([line + 0.01, line])).tolist() == [False] * 700 + [True] * 700
