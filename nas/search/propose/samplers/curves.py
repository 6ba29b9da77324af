"""What the first epochs of a training say of its last.

Trainings that were stopped early say something of where they would have ended, the less the earlier they were stopped.
How much is learned from those that were not: the logarithm of the last error on that of the same epoch, by a straight
line that is pulled towards equal differences while few are known.
"""

from collections.abc import Sequence

import numpy as np

from nas.search.propose.samplers.encoding import Array

Curve = tuple[float, ...]
"""The errors after each epoch, as far as trained."""

PULL = 3.0  # trainings that the line towards equal differences counts as
USUAL_NOISE = 0.1  # variance of seed noise, of a variance of 1 between networks
MAX_DOUBT = 30.0
NOTHING = 1e-4  # an error below this counts as this


def expected_ends(curves: Sequence[Curve]) -> tuple[Array, Array]:
    """Return the last error of each training, or the one that is expected of it, and by what its noise is multiplied.

    The longest curves are complete. Curves hold an error at least.
    """
    lengths = np.array([len(curve) for curve in curves])
    ends, doubt = np.array([curve[-1] for curve in curves]), np.ones(len(curves))
    complete = lengths == lengths.max()
    last = _log(ends)
    for length in np.unique(lengths[~complete]):
        reached = np.array([curve[length - 1] if len(curve) >= length else np.nan for curve in curves])
        mine = lengths == length
        ends[mine], doubt[mine] = _extrapolated(_log(reached), last, mine, complete)
    return ends, doubt


def _log(errors: Array) -> Array:
    return np.asarray(np.log(np.maximum(errors, NOTHING)))


def _extrapolated(early: Array, late: Array, mine: np.ndarray, complete: np.ndarray) -> tuple[Array, float]:
    """Return the expected last errors of some trainings, and their doubt.

    early, late: logarithms of errors at the epoch, and of last ones. mine: which end at the epoch. complete: which do
    not end before the last.
    """
    spread = max(float(early[mine | complete].var()), 1e-9)  # of all that reached the epoch
    x, y = early[complete], late[complete]
    dx, dy = x - x.mean(), y - y.mean()
    slope = (float(dx @ dy) + PULL * spread) / (float(dx @ dx) + PULL * spread)
    left = (float(((dy - slope * dx) ** 2).sum()) + PULL * spread / 2) / (len(x) + PULL)
    expected = y.mean() + slope * (early[mine] - x.mean())
    between = max(float(late[complete].var()), slope**2 * spread)
    return np.exp(expected), float(min(1 + left / (USUAL_NOISE * between), MAX_DOUBT))
