"""Networks as numbers: their choices, their counts and their sequences of layers, for the model of the error."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.genome.trial import Choice
from nas.search.distributions import Distribution, OneOf
from nas.search.objectives import OBJECTIVES
from nas.search.propose.candidate import Candidate

Array = NDArray[np.float64]
COUNTS = ("params", "macs", "activations", "depth")  # that the model reads
MISSING = -1e6  # of a choice that a network does not have


@dataclass(frozen=True)
class Rows:
    """Networks as numbers, one a row.

    choices: the position of each in its range or list, MISSING where the network has no such choice. ordered: for each
    choice whether near positions are near values: a range, or a list of rising numbers. counts: logarithms. ngrams:
    logarithms of how often each sequence of layers occurs.
    """

    choices: Array
    ordered: tuple[bool, ...]
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
        self.columns: dict[str, _Column] = {}
        self.ngrams: dict[tuple[str, ...], int] = {}

    def encode(self, candidate: Candidate) -> Code:
        """Return a network encoded, with new columns for what was not seen before."""
        for name, distribution in candidate.distributions.items():
            if name not in self.columns:
                self.columns[name] = _Column(distribution)
        choices = tuple([column.position(candidate.choices.get(name)) for name, column in self.columns.items()])
        counts = tuple([log(1 + max(0.0, OBJECTIVES[name].of(candidate))) for name in COUNTS])
        columns = [self.ngrams.setdefault(ngram, len(self.ngrams)) for ngram in candidate.ngrams]
        return Code(choices, counts, np.array(columns, dtype=np.int64), np.log1p(list(candidate.ngrams.values())))

    def rows(self, codes: Sequence[Code], like: Rows | None = None) -> Rows:
        """Return networks as rows of all columns so far, or of the columns that other rows have."""
        ordered = tuple([column.ordered for column in self.columns.values()]) if like is None else like.ordered
        choices = np.full((len(codes), len(ordered)), MISSING)
        ngrams = np.zeros((len(codes), len(self.ngrams) if like is None else like.ngrams.shape[1]))
        for row, code in enumerate(codes):
            shared = code.choices[: len(ordered)]
            choices[row, : len(shared)] = shared
            known = code.columns < ngrams.shape[1]
            ngrams[row, code.columns[known]] = code.ngrams[known]
        return Rows(
            choices, ordered, np.array([code.counts for code in codes]).reshape(len(codes), len(COUNTS)), ngrams
        )


class _Column:
    """The positions of one choice. A value that the first distribution did not have gets one at the end of a list."""

    def __init__(self, distribution: Distribution) -> None:
        self.range = None if isinstance(distribution, OneOf) else distribution
        listed = distribution.values if isinstance(distribution, OneOf) else ()
        self.ranks: dict[tuple[type, Any], int] = {(type(value), value): rank for rank, value in enumerate(listed)}
        self.ordered = self.range is not None or _rises(listed)
        self.scale = max(1, len(self.ranks) - 1)

    def position(self, value: Choice | None) -> float:
        if value is None:
            return MISSING
        if self.range is not None:
            return self.range.position(value) if isinstance(value, int | float) else MISSING
        return self.ranks.setdefault((type(value), value), len(self.ranks)) / self.scale


def _rises(values: Sequence[Choice]) -> bool:
    """Return whether a list holds at least three numbers, in rising order."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(numbers) == len(values) >= 3 and all(a < b for a, b in pairwise(numbers))
