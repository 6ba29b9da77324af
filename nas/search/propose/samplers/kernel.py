"""How alike two networks are: parts that are each positive semidefinite, whatever the space.

A column that does not vary among the trained networks is left out; a part without columns is 0 everywhere.
"""

from collections.abc import Sequence

import numpy as np

from nas.search.propose.samplers.encoding import Array, Rows

LENGTHS = (0.15, 0.6)  # length scales of an ordered choice, as shares of its range
PARTS = ("choices, short", "choices, long", "counts", "layers", "trend")


class Kernel:
    """Similarity of networks in PARTS; distances are scaled by the spread of the first rows.

    Choices: an additive kernel over single choices and pairs of them (Duvenaud et al. 2011, section 2); agreement is 1
    or 0 for a listed choice and decays with distance for an ordered one, over one of two LENGTHS. Counts: distance of
    the logarithms. Layers: distance of the frequencies of layer sequences. Trend: linear in the logarithms of counts.
    """

    def __init__(self, rows: Rows) -> None:
        self._choices = np.flatnonzero(_varies(rows.choices))
        self._counts, self._ngrams = _ColumnScale(rows.counts), _ColumnScale(rows.ngrams)
        self._spread = max(float(2 * self._ngrams.variance) ** 0.5, 1e-6)

    def parts(self, a: Rows, b: Rows) -> Array:
        """Return each part of the similarity: (parts, rows of a, rows of b)."""
        short, long = self._agreements(a, b)
        counts = [self._counts.scaled(rows.counts) for rows in (a, b)]
        ngrams = [self._ngrams.centered(rows.ngrams) / self._spread for rows in (a, b)]
        near = np.exp(-_squares(*counts)) if counts[0].shape[1] else np.zeros_like(short)
        layers = np.exp(-np.sqrt(_squares(*ngrams))) if ngrams[0].shape[1] else np.zeros_like(short)
        return np.array([short, long, near, layers, counts[0] @ counts[1].T])

    def diagonal(self, rows: Rows) -> Array:
        """Return each part of the similarity of each row with itself: (parts, rows)."""
        counts = self._counts.scaled(rows.counts)
        ones = np.ones(len(rows))
        varied = [len(self._choices), len(self._choices), counts.shape[1], self._ngrams.varying.any()]
        return np.array([*(ones * bool(each) for each in varied), (counts**2).sum(axis=1)])

    def _agreements(self, a: Rows, b: Rows) -> list[Array]:
        """Return the additive kernel over choices for each of the LENGTHS."""
        single = np.zeros((len(LENGTHS), len(a), len(b)))
        squares = np.zeros_like(single)
        for column in self._choices:
            distance = np.abs(a.choices[:, column, None] - b.choices[None, :, column])
            for alike, square, length in zip(single, squares, LENGTHS, strict=True):
                like = np.exp(-distance / length) if a.ordered[column] else (distance == 0).astype(np.float64)
                alike += like
                square += like * like
        size = len(self._choices)
        if size < 2:
            return list(single)
        return list((single / size + (single**2 - squares) / (size * (size - 1))) / 2)


class _ColumnScale:
    """The columns that vary among some rows, with their means and spreads."""

    def __init__(self, columns: Array) -> None:
        self.varying = _varies(columns)
        self.mean, self.spread = columns[:, self.varying].mean(axis=0), columns[:, self.varying].std(axis=0)
        self.variance = float((self.spread**2).sum())

    def centered(self, columns: Array) -> Array:
        """Return the varying columns less their means."""
        return np.asarray(columns[:, self.varying] - self.mean)

    def scaled(self, columns: Array) -> Array:
        """Return the varying columns standardized, and divided by the root of their number."""
        return np.asarray(self.centered(columns) / self.spread / max(1, len(self.spread)) ** 0.5)


def _varies(columns: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which columns hold more than one value, rounding aside."""
    low, high = columns.min(axis=0), columns.max(axis=0)
    return np.asarray(high - low > 1e-9 * np.maximum(1.0, np.abs(high)))


def _squares(a: Array, b: Array) -> Array:
    """Return squared distances, (rows of a, rows of b)."""
    return np.asarray(np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T, 0.0))


def weighted(weights: Sequence[float] | Array, parts: Array) -> Array:
    """Return the sum of some parts by their weights, with 1 for the constant."""
    return np.asarray(1 + np.tensordot(np.asarray(weights), parts, axes=1))
