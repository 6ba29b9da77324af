"""A model of the error: a Gaussian process over choices, counts and the layers that follow one another.

What counts is the better half of networks: errors enter as they are below the median and by their logarithm above it,
so that a network that learns nothing at all does not stretch the scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from nas.search.distributions import OneOf
from nas.search.objectives import OBJECTIVES
from nas.search.propose.candidate import Candidate

Array = NDArray[np.float64]
NOISES = (0.003, 0.01, 0.03, 0.1, 0.3)  # variances of seed noise, of a variance near 1 between networks
WEIGHTS = (1.0, 0.25, 1.0)  # of choices, counts and layers
LENGTH = 0.3  # of a range over which an ordered choice is forgotten
COUNTS = ("params", "macs", "activations", "depth")  # that the model reads
MISSING = -1.0


@dataclass(frozen=True)
class Rows:
    """Networks as numbers, one a row.

    choices: where each stands in its range or list, MISSING where the network has no such choice. listed: for each
    choice whether it is one of a list. counts: logarithms. ngrams: logarithms of how often each sequence of layers is
    found.
    """

    choices: Array
    listed: tuple[bool, ...]
    counts: Array
    ngrams: Array

    def __len__(self) -> int:
        return len(self.counts)


@dataclass(frozen=True)
class Code:
    """A network's own numbers; those of choices and sequences that came up later are missing at the end."""

    choices: tuple[float, ...]
    counts: tuple[float, ...]
    columns: NDArray[np.int64]  # of its sequences of layers
    ngrams: Array


class Encoder:
    """Networks as numbers, by the choices and sequences of layers met so far: each has its column from then on."""

    def __init__(self) -> None:
        self.places: dict[str, dict[Any, float]] = {}
        self.listed: dict[str, bool] = {}
        self.ngrams: dict[tuple[str, ...], int] = {}

    def encode(self, candidate: Candidate) -> Code:
        """A network's numbers, taking note of what was not met before."""
        for name, distribution in candidate.distributions.items():
            if name not in self.places:
                options = distribution.values
                self.listed[name] = isinstance(distribution, OneOf)
                scale = 1 if self.listed[name] else max(1, len(options) - 1)
                self.places[name] = {option: rank / scale for rank, option in enumerate(options)}
        choices = tuple([self._place(name, candidate.choices.get(name)) for name in self.places])
        counts = tuple([log(1 + OBJECTIVES[name].of(candidate)) for name in COUNTS])
        columns = [self.ngrams.setdefault(ngram, len(self.ngrams)) for ngram in candidate.ngrams]
        return Code(choices, counts, np.array(columns, dtype=np.int64), np.log1p(list(candidate.ngrams.values())))

    def rows(self, codes: Sequence[Code], like: Rows | None = None) -> Rows:
        """Networks as rows, of the columns known by now; or of those that other rows have, the rest left out."""
        listed = tuple(self.listed.values()) if like is None else like.listed
        choices = np.full((len(codes), len(listed)), MISSING)
        ngrams = np.zeros((len(codes), len(self.ngrams) if like is None else like.ngrams.shape[1]))
        for row, code in enumerate(codes):
            shared = code.choices[: len(listed)]
            choices[row, : len(shared)] = shared
            known = code.columns < ngrams.shape[1]
            ngrams[row, code.columns[known]] = code.ngrams[known]
        return Rows(choices, listed, np.array([code.counts for code in codes]), ngrams)

    def _place(self, name: str, value: Any) -> float:
        if value is None:
            return MISSING
        places = self.places[name]
        if value not in places:  # between the levels of a range without a step
            low, high = min(places), max(places)
            return float((value - low) / (high - low)) if high > low else 0.0
        return places[value]


class Kernel:
    """How alike networks are, in three ways, each from 0 to 1; distances are measured by how the first rows spread.

    Choices: those on which two agree and the pairs of choices on which they do, an additive kernel (Duvenaud et al.
    2011, section 2). Agreement is 1 or 0 for a listed choice and falls off with distance for a number. Counts: near in
    the logarithms of all. Layers: near in the sequences of layers found.
    """

    def __init__(self, rows: Rows) -> None:
        spread = rows.counts.std(axis=0)
        self._counts = np.where(spread > 0, spread, 1.0) * rows.counts.shape[1] ** 0.5
        self._walks = max(1e-9, float(2 * rows.ngrams.var(axis=0).sum()) ** 0.5)

    def __call__(self, a: Rows, b: Rows) -> tuple[Array, Array, Array]:
        counts = np.exp(-_squares(a.counts / self._counts, b.counts / self._counts))
        ngrams = np.exp(-np.sqrt(_squares(a.ngrams / self._walks, b.ngrams / self._walks)))
        return _agreement(a, b), counts, ngrams


def _squares(a: Array, b: Array) -> Array:
    """Squared distances, (rows of a, rows of b)."""
    return np.asarray(np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T, 0.0))


def _agreement(a: Rows, b: Rows) -> Array:
    single, squares = np.zeros((len(a), len(b))), np.zeros((len(a), len(b)))
    for column, listed in enumerate(a.listed):
        like = _alike(a.choices[:, column, None], b.choices[None, :, column], listed)
        single += like
        squares += like * like
    size = len(a.listed)
    if size < 2:
        return single if size else np.ones_like(single)
    return (single / size + (single**2 - squares) / (size * (size - 1))) / 2


def _alike(a: Array, b: Array, listed: bool) -> Array:
    if listed:
        return np.asarray(a == b, dtype=np.float64)
    missing = (a == MISSING) | (b == MISSING)
    return np.where(missing, a == b, np.exp(-np.abs(a - b) / LENGTH))


def targets(errors: Sequence[float]) -> Array:
    """What is modelled: errors in units of how far the best is below the median; larger ones by their logarithm."""
    found = np.asarray(errors, dtype=np.float64)
    unit = float(np.median(found) - found.min())
    if unit <= 0:
        unit = max(float(found.max() - found.min()), 1e-9)
    far = (found - found.min()) / unit
    scaled = np.where(far < 1, far, 1 + np.log(np.maximum(far, 1)))
    return np.asarray((scaled - scaled.mean()) / (scaled.std() or 1.0))


class Surrogate:
    """What is believed of the error after some trainings, in units of `targets`.

    The noise is the one under which the errors are the most likely. The scale is not fitted: to the few networks of
    a beginning it is so small that the model is sure of what it has not seen.
    """

    def __init__(self, rows: Rows, errors: Sequence[float]) -> None:
        self._rows, self._targets, self._like = rows, targets(errors), Kernel(rows)
        kernel = self._kernel(rows)
        self.noise = max(NOISES, key=lambda noise: self._likelihood(kernel, noise))
        self._solve(kernel)

    def _likelihood(self, kernel: Array, noise: float) -> float:
        """Logarithm, at the best scale, less a constant (Rasmussen & Williams 2006, section 5.4.1)."""
        factor, _ = cho_factor(kernel + noise * np.eye(len(kernel)), lower=True)
        fit = max(1e-12, float(self._targets @ cho_solve((factor, True), self._targets)))
        return float(-0.5 * len(kernel) * np.log(fit) - np.log(np.diag(factor)).sum())

    def _kernel(self, rows: Rows) -> Array:
        """Covariance with what is learnt from, (rows, learnt from)."""
        likenesses = self._like(rows, self._rows)
        return np.asarray(1 + sum(weight * each for weight, each in zip(WEIGHTS, likenesses, strict=True)))

    def _solve(self, kernel: Array) -> None:
        self._factor, _ = cho_factor(kernel + self.noise * np.eye(len(kernel)), lower=True)
        self._answers = cho_solve((self._factor, True), self._targets)

    def add_fantasies(self, rows: Rows) -> None:
        """Take networks in training for as good as expected, so that the next choice keeps away from them."""
        mean, _ = self.predict(rows)
        self._targets = np.concatenate([self._targets, mean])
        self._rows = Rows(
            np.concatenate([self._rows.choices, rows.choices]), rows.listed,
            np.concatenate([self._rows.counts, rows.counts]), np.concatenate([self._rows.ngrams, rows.ngrams]),
        )  # fmt: skip
        self._solve(self._kernel(self._rows))

    def believed(self) -> Array:
        """The mean at each network learnt from or believed, in order: its target less what noise explains."""
        return np.asarray(self._targets - self.noise * self._answers)

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        """Mean and standard deviation of the error without noise."""
        shared = self._kernel(rows)
        known = solve_triangular(self._factor, shared.T, lower=True)
        left = 1 + sum(WEIGHTS) - (known**2).sum(axis=0)
        return shared @ self._answers, np.sqrt(np.maximum(left, 1e-12))
