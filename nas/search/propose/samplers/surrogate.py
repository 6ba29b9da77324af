"""A model of the error: a Gaussian process over choices, counts and sequences of layers.

Errors below the median enter as they are, those above it by their logarithm, so that a network that learns nothing
does not stretch the scale.
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
LENGTH = 0.3  # length scale of a numeric choice, as a share of its range
COUNTS = ("params", "macs", "activations", "depth")  # that the model reads
MISSING = -1.0


@dataclass(frozen=True)
class Rows:
    """Networks as numbers, one a row.

    choices: the position of each in its range or list, MISSING where the network has no such choice. listed: for each
    choice whether it is one of a list. counts: logarithms. ngrams: logarithms of how often each sequence of layers
    occurs.
    """

    choices: Array
    listed: tuple[bool, ...]
    counts: Array
    ngrams: Array

    def __len__(self) -> int:
        return len(self.counts)


@dataclass(frozen=True)
class Code:
    """One encoded network; choices and sequences that appeared later are missing at the end."""

    choices: tuple[float, ...]
    counts: tuple[float, ...]
    columns: NDArray[np.int64]  # of its sequences of layers
    ngrams: Array


class Encoder:
    """Networks as numbers, one column per choice and sequence of layers seen so far."""

    def __init__(self) -> None:
        self.places: dict[str, dict[Any, float]] = {}
        self.listed: dict[str, bool] = {}
        self.ngrams: dict[tuple[str, ...], int] = {}

    def encode(self, candidate: Candidate) -> Code:
        """Return a network encoded, with new columns for what was not seen before."""
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
        """Return networks as rows of all columns so far, or of the columns that other rows have."""
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
    """Similarity of networks in three parts, each from 0 to 1; distances are scaled by the spread of the first rows.

    Choices: an additive kernel over single choices and pairs of them (Duvenaud et al. 2011, section 2); agreement is 1
    or 0 for a listed choice and decays with distance for a number. Counts: distance of the logarithms. Layers:
    distance of the frequencies of layer sequences.
    """

    def __init__(self, rows: Rows) -> None:
        spread = rows.counts.std(axis=0)
        self._counts = np.where(spread > 0, spread, 1.0) * rows.counts.shape[1] ** 0.5
        self._ngrams = max(1e-9, float(2 * rows.ngrams.var(axis=0).sum()) ** 0.5)

    def __call__(self, a: Rows, b: Rows) -> tuple[Array, Array, Array]:
        counts = np.exp(-_squares(a.counts / self._counts, b.counts / self._counts))
        ngrams = np.exp(-np.sqrt(_squares(a.ngrams / self._ngrams, b.ngrams / self._ngrams)))
        return _agreement(a, b), counts, ngrams


def _squares(a: Array, b: Array) -> Array:
    """Return squared distances, (rows of a, rows of b)."""
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
    """Return the modelled values: errors in units of median less best, larger ones by their logarithm."""
    found = np.asarray(errors, dtype=np.float64)
    unit = float(np.median(found) - found.min())
    if unit <= 0:
        unit = max(float(found.max() - found.min()), 1e-9)
    far = (found - found.min()) / unit
    scaled = np.where(far < 1, far, 1 + np.log(np.maximum(far, 1)))
    return np.asarray((scaled - scaled.mean()) / (scaled.std() or 1.0))


class Surrogate:
    """A Gaussian process posterior of the error, in units of `targets`.

    The noise variance is the one of highest likelihood. The signal variance is fixed: fitted to few networks it is too
    small, and the model becomes overconfident.
    """

    def __init__(self, rows: Rows, errors: Sequence[float]) -> None:
        self._rows, self._targets, self._like = rows, targets(errors), Kernel(rows)
        kernel = self._kernel(rows)
        self.noise = max(NOISES, key=lambda noise: self._likelihood(kernel, noise))
        self._solve(kernel)

    def _likelihood(self, kernel: Array, noise: float) -> float:
        """Return the log likelihood at the best scale, up to a constant (Rasmussen & Williams 2006, section 5.4.1)."""
        factor, _ = cho_factor(kernel + noise * np.eye(len(kernel)), lower=True)
        fit = max(1e-12, float(self._targets @ cho_solve((factor, True), self._targets)))
        return float(-0.5 * len(kernel) * np.log(fit) - np.log(np.diag(factor)).sum())

    def _kernel(self, rows: Rows) -> Array:
        """Return the covariance with the training rows, (rows, training rows)."""
        similarities = self._like(rows, self._rows)
        return np.asarray(1 + sum(weight * each for weight, each in zip(WEIGHTS, similarities, strict=True)))

    def _solve(self, kernel: Array) -> None:
        self._factor, _ = cho_factor(kernel + self.noise * np.eye(len(kernel)), lower=True)
        self._weights = cho_solve((self._factor, True), self._targets)

    def add_fantasies(self, rows: Rows) -> None:
        """Add networks in training with their predicted error (a fantasy), so that the next choice avoids them."""
        mean, _ = self.predict(rows)
        self._targets = np.concatenate([self._targets, mean])
        self._rows = Rows(
            np.concatenate([self._rows.choices, rows.choices]), rows.listed,
            np.concatenate([self._rows.counts, rows.counts]), np.concatenate([self._rows.ngrams, rows.ngrams]),
        )  # fmt: skip
        self._solve(self._kernel(self._rows))

    def training_mean(self) -> Array:
        """Return the posterior mean at each training row and fantasy, in order."""
        return np.asarray(self._targets - self.noise * self._weights)

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        """Return mean and standard deviation of the error without noise."""
        shared = self._kernel(rows)
        known = solve_triangular(self._factor, shared.T, lower=True)
        left = 1 + sum(WEIGHTS) - (known**2).sum(axis=0)
        return shared @ self._weights, np.sqrt(np.maximum(left, 1e-12))
