"""Expected hypervolume improvement where only the first objective is uncertain: the costs are exact."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]


def expected_hypervolume_improvement(mean: Array, spread: Array, costs: Array, front: Array, reference: Array) -> Array:
    """Return the hypervolume that each candidate is expected to add to the front.

    mean, spread: (candidates,) of a normally distributed error. costs: (candidates, any number), exact. front: (points,
    1 + costs), error first. reference: (1 + costs,); candidates beyond it gain nothing. Without costs this is the
    expected improvement on the best error. As a candidate's error falls to t, what it dominates alone grows by the
    part of the cost space that no front point of error at most t dominates: gain is a sum of expected improvements.
    """
    costs, points, limit = _padded(costs, 0.0), _padded(front[:, 1:], 0.0), _padded(reference[None, 1:], 1.0)[0]
    order = np.argsort(front[:, 0], kind="stable")
    bounds = np.append(np.minimum(front[order, 0], reference[0]), reference[0])
    whole = np.prod(np.maximum(limit - costs, 0.0), axis=1)
    free, stairs = [whole], np.empty((0, len(limit)))
    for point in points[order]:
        stairs = np.concatenate([stairs[(stairs < point).any(axis=1)], point[None]])
        free.append(whole - _dominated(stairs, costs, limit))
    steps = np.maximum(-np.diff([*free, np.zeros(len(mean))], axis=0), 0.0)
    return np.asarray((steps * _improvement(mean, spread, bounds[:, None])).sum(axis=0))


def _padded(costs: Array, fill: float) -> Array:
    """Return at least two cost columns, the missing ones constant."""
    return np.concatenate([costs, np.full((len(costs), max(0, 2 - costs.shape[1])), fill)], axis=1)


def _improvement(mean: Array, spread: Array, below: Array) -> Array:
    """Return the expected depth by which a normal variable falls below a bound."""
    u = (below - mean) / spread
    return np.asarray(spread * (u * ndtr(u) + np.exp(-u * u / 2) / (2 * np.pi) ** 0.5))


def _dominated(points: Array, corners: Array, limit: Array) -> Array:
    """Return for each corner the volume between it and the limit that the points dominate."""
    if points.shape[1] == 2:
        return _area(points, corners, limit)
    rising = points[np.argsort(points[:, -1], kind="stable")]
    bottom, top = rising[:, -1], np.append(rising[1:, -1], np.inf)
    total = np.zeros(len(corners))
    for count, (low, high) in enumerate(zip(bottom, top, strict=True), 1):  # between two points the section is constant
        height = np.minimum(high, limit[-1]) - np.maximum(low, corners[:, -1])
        if (height > 0).any():
            total += np.maximum(height, 0.0) * _dominated(rising[:count, :-1], corners[:, :-1], limit[:-1])
    return total


def _area(points: Array, corners: Array, limit: Array) -> Array:
    """Return for each corner the area between it and the limit that the points dominate, in two dimensions."""
    stairs = points[np.lexsort((points[:, 1], points[:, 0]))]
    lowest = np.minimum.accumulate(stairs[:, 1])
    ends = np.append(stairs[1:, 0], np.inf)
    left = np.maximum(stairs[None, :, 0], corners[:, 0, None])
    width = np.maximum(np.minimum(ends, limit[0])[None] - left, 0.0)
    height = np.maximum(limit[1] - np.maximum(lowest[None], corners[:, 1, None]), 0.0)
    return np.asarray((width * height).sum(axis=1))
