"""Pareto dominance, and the hypervolume of a front.

Every objective is minimized. Points that are not finite never count: Optuna files an infinite objective as
complete and lets it own the front.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from nas.search.trial import TrialRecord

Points = NDArray[np.float64]  # (points, objectives)
Mask = NDArray[np.bool_]
_CHUNK = 256  # rows compared at once: the comparison takes memory by its square


def as_points(values: Sequence[Sequence[float | None]]) -> Points:
    """Return rows of objectives as an array (points, objectives), what is missing as NaN."""
    rows = np.array(values, dtype=np.float64)
    return rows.reshape(len(values), -1) if len(values) else np.empty((0, 1))


def on_front(points: Points) -> Mask:
    """Return for each point whether no other dominates it: (points,).

    Equal points are on the front together or not at all; a point that is not finite is never on the front.
    """
    finite = _finite(points)
    best = np.empty((0, points.shape[1]))
    for start in range(0, len(points), _CHUNK):
        chunk = points[start : start + _CHUNK]
        best = merge(best, chunk[finite[start : start + _CHUNK]])
    mask = finite.copy()
    for start in range(0, len(points), _CHUNK):
        rows = slice(start, start + _CHUNK)
        mask[rows] &= ~_dominated(points[rows], best)
    return mask


def front_of(records: Sequence[TrialRecord], names: tuple[str, ...]) -> list[TrialRecord]:
    """Return the complete trials that no other dominates; of equals, the first."""
    scored = [(record, values) for record in records if (values := record.objectives(names)) is not None]
    first: dict[tuple[float, ...], int] = {}
    for record, values in sorted(scored, key=lambda pair: pair[0].number):
        first.setdefault(values, record.number)
    mask = on_front(as_points([values for _, values in scored]))
    return [record for (record, values), on in zip(scored, mask, strict=True) if on and first[values] == record.number]


def merge(front: Points, points: Points) -> Points:
    """Return the distinct non-dominated points of a front and some more points, all finite."""
    fresh = np.unique(points[~_dominated(points, front)], axis=0)
    fresh = fresh[~_dominated(fresh, fresh)]
    return np.unique(np.concatenate([front[~_dominated(front, fresh)], fresh]), axis=0)


def dominates(points: Points, others: Points) -> Mask:
    """Return whether each point is at least as good as each other everywhere and better somewhere: (points, others)."""
    no_worse = np.ones((len(points), len(others)), dtype=np.bool_)
    better = np.zeros_like(no_worse)
    for column in range(points.shape[1] if len(others) else 0):
        mine, theirs = points[:, column, None], others[None, :, column]
        no_worse &= mine <= theirs
        better |= mine < theirs
    return no_worse & better


def _dominated(points: Points, others: Points) -> Mask:
    """Return whether any other dominates each point: (points,)."""
    return np.asarray(dominates(others, points).any(axis=0)) if len(others) else np.zeros(len(points), dtype=np.bool_)


def _finite(points: Points) -> Mask:
    return np.asarray(np.isfinite(points).all(axis=1))


def hypervolume(points: Points, reference: Sequence[float]) -> float:
    """Return the exact volume that the points dominate, bounded by the reference, in one objective or more.

    A point that is not finite, or not below the reference in every objective, adds nothing. Two objectives take
    O(n log n), three as well (a sweep of the third over a growing staircase), each further one a factor n.
    """
    inside = _finite(points) & (points < np.asarray(reference)).all(axis=1)
    rows = [tuple(row) for row in np.unique(points[inside], axis=0).tolist()]
    return _volume(rows, tuple(reference)) if rows else 0.0


def _volume(rows: list[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    if len(reference) == 1:
        return reference[0] - min(row[0] for row in rows)
    if len(reference) == 2:
        stairs = _Staircase(reference[0], reference[1])
        for row in rows:
            stairs.insert(row[0], row[1])
        return stairs.area
    rows = sorted(rows, key=lambda row: row[-1])
    tops = [row[-1] for row in rows[1:]] + [reference[-1]]
    stairs, total = _Staircase(reference[0], reference[1]), 0.0
    for i, (row, top) in enumerate(zip(rows, tops, strict=True)):
        if len(reference) == 3:
            stairs.insert(row[0], row[1])
        if top > row[-1]:
            below = [lower[:-1] for lower in rows[: i + 1]]
            slice_ = stairs.area if len(reference) == 3 else _volume(below, reference[:-1])
            total += slice_ * (top - row[-1])
    return total


class _Staircase:
    """The area that points dominate, kept while they are inserted in any order."""

    def __init__(self, right: float, top: float) -> None:
        self.xs, self.ys = [-inf, right], [top, -inf]  # x rises, y falls
        self.area = 0.0

    def insert(self, x: float, y: float) -> None:
        if self.ys[bisect_right(self.xs, x) - 1] <= y:
            return
        start = end = bisect_left(self.xs, x)
        left, height = x, self.ys[start - 1]
        while self.ys[end] >= y:
            self.area += (self.xs[end] - left) * (height - y)
            left, height = self.xs[end], self.ys[end]
            end += 1
        self.area += (self.xs[end] - left) * (height - y)
        self.xs[start:end], self.ys[start:end] = [x], [y]
