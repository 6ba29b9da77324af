"""A model of the error over choices and counts: a Gaussian process that knows which choices agree, alone and in pairs.

Errors enter by their normal scores: what counts is the order of networks, and one that learns nothing at all must not
stretch the scale. scikit-learn does the algebra.
"""

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Kernel

from nas.genome.cost import Cost
from nas.search.draw import Choices, ordered, values

Array = NDArray[np.float64]
NOISE = 0.1  # variance of a score's seed noise, beside a variance of 1 to 2 between networks
LENGTH = 0.3  # of a range over which an ordered choice is forgotten
MEASURED = ("params", "macs", "activations", "depth")
MISSING = -1.0


class Agreement(Kernel):  # type: ignore[misc]
    """How alike two networks are: the choices on which they agree, and the pairs of choices on which they do.

    The sum over choices, and that over pairs, of the likenesses' products, each divided by how many there are: an
    additive kernel (Duvenaud et al. 2011, section 2). The likeness is 1 or 0 for a listed choice and falls off with
    distance for a number; that of the counts is one more term. Rows: a column a choice, then the counts.
    """

    def __init__(self, listed: tuple[bool, ...] = ()) -> None:
        self.listed = listed

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:  # noqa: N803
        a, b = X, X if Y is None else Y
        single, squares = np.zeros((len(a), len(b))), np.zeros((len(a), len(b)))
        for column, listed in enumerate(self.listed):
            like = _likeness(a[:, column, None], b[None, :, column], listed)
            single += like
            squares += like * like
        size = len(self.listed)
        counts = a[:, size:], b[:, size:]
        distance = ((counts[0][:, None] - counts[1][None]) ** 2).mean(axis=2)
        pairs = (single**2 - squares) / max(1, size * (size - 1))
        return 1 + single / (2 * max(1, size)) + pairs / 2 + np.exp(-distance) / 4

    def diag(self, X: Any) -> Any:  # noqa: N803
        return np.full(len(X), 2.25 if len(self.listed) > 1 else 1.75)

    def is_stationary(self) -> bool:
        return False


def _likeness(a: Array, b: Array, listed: bool) -> Array:
    if listed:
        return np.asarray(a == b, dtype=np.float64)
    missing = (a == MISSING) | (b == MISSING)
    return np.where(missing, a == b, np.exp(-np.abs(a - b) / LENGTH))


class Encoder:
    """Choices and counts as rows of numbers, by the distributions seen so far."""

    def __init__(self) -> None:
        self.places: dict[str, dict[Any, float]] = {}
        self.listed: dict[str, bool] = {}

    def see(self, distributions: dict[str, Any]) -> None:
        """Take note of choices that were not met before."""
        for name, distribution in distributions.items():
            if name not in self.places:
                options = values(distribution)
                self.listed[name] = not ordered(distribution)
                scale = 1 if self.listed[name] else max(1, len(options) - 1)
                self.places[name] = {option: rank / scale for rank, option in enumerate(options)}

    def rows(self, networks: Sequence[tuple[Choices, Cost]]) -> Array:
        """One row a network: where each choice stands in its range or list, then the logarithms of the counts."""
        names = list(self.places)
        rows = [
            [self._place(name, choices.get(name)) for name in names]
            + [log(1 + getattr(counts, measured)) for measured in MEASURED]
            for choices, counts in networks
        ]
        return np.array(rows, dtype=np.float64).reshape(len(networks), len(names) + len(MEASURED))

    def _place(self, name: str, value: Any) -> float:
        if value is None:
            return MISSING
        places = self.places[name]
        if value not in places:  # between the levels of a range without a step
            low, high = min(places), max(places)
            return float((value - low) / (high - low)) if high > low else 0.0
        return places[value]


def scores(errors: Sequence[float]) -> Array:
    """Normal scores: where each error's rank stands in a normal distribution, equal for equals."""
    return np.asarray(norm.ppf((rankdata(errors) - 0.5) / len(errors)), dtype=np.float64)


class Surrogate:
    """What is believed of the error after some trainings, in normal scores."""

    def __init__(self, listed: tuple[bool, ...], rows: Array, errors: Sequence[float]) -> None:
        size = len(listed)
        self._centre, spread = rows[:, size:].mean(axis=0), rows[:, size:].std(axis=0)
        self._spread, self._size = np.where(spread > 0, spread, 1.0), size
        self._model = GaussianProcessRegressor(Agreement(listed), alpha=NOISE, optimizer=None)
        self._model.fit(self._scaled(rows), scores(errors))

    def _scaled(self, rows: Array) -> Array:
        counts = (rows[:, self._size :] - self._centre) / self._spread
        return np.concatenate([rows[:, : self._size], counts], axis=1)

    def believe(self, rows: Array) -> None:
        """Take networks in training for as good as expected, so that the next choice keeps away from them."""
        scaled = self._scaled(rows)
        targets = np.concatenate([self._model.y_train_, self._model.predict(scaled)])
        self._model.fit(np.concatenate([self._model.X_train_, scaled]), targets)

    def predict(self, rows: Array) -> tuple[Array, Array]:
        """Mean and standard deviation."""
        mean, spread = self._model.predict(self._scaled(rows), return_std=True)
        return mean, np.maximum(spread, 1e-9)
