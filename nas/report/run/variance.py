"""How the choices share the variance of the errors: shares that add up, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.report.run.insight import groups, influences, log_errors
from nas.search.trial import TrialRecord

MIN_SHARED = 30  # of fewer trials no share is told
MAX_SHARED = 12  # choices
MAX_TRIALS = 1_000  # evenly spaced by error
LEFT_OUT = 40  # parts of the trials, of which the jackknife leaves out one at a time
TOLERANCE = 1e-6
Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class VarianceShare:
    """A choice's share of the variance of log error, beyond that of the choices before it.

    share: a fraction. low, high: 95 % interval, by a jackknife over the trials. best: the group of lowest median error.
    """

    choice: str
    share: float
    low: float
    high: float
    best: str


def variance_shares(records: Sequence[TrialRecord]) -> list[VarianceShare]:
    """Return how the choices share the variance of log error, the most influential alone first.

    records: by error. Each choice explains what those before it leave, less what groups of that size explain by chance,
    so that correlated choices are not counted twice. At most twelve; none of fewer than thirty trials.
    """
    if len(records) < MIN_SHARED:
        return []
    spaced = np.unique(np.linspace(0, len(records) - 1, MAX_TRIALS).round().astype(int))
    thinned = sorted([records[i] for i in spaced], key=lambda record: record.number)  # the jackknife's parts are random
    ranked = influences(thinned)[:MAX_SHARED]
    errors, labels = log_errors(thinned), [groups(thinned, each.choice) for each in ranked]
    codes = [np.unique(each, return_inverse=True)[1] for each in labels]
    shares, spread = sequential_shares(errors, codes), jackknife(errors, codes)
    ends = np.clip([shares, shares - Z * spread, shares + Z * spread], 0, 1).T.tolist()
    return [
        VarianceShare(each.choice, share, low, high, each.best)
        for each, (share, low, high) in zip(ranked, ends, strict=True)
    ]


def sequential_shares(values: NDArray[np.float64], codes: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Return per grouping the share of variance that it adds to those before it, corrected for chance: (groupings,).

    codes: per grouping the group of each value. The correction is that of epsilon squared: degrees of freedom times the
    variance that is left. A grouping that would leave less than half of the degrees of freedom adds nothing.
    """
    total, basis = values - values.mean(), np.full((len(values), 1), len(values) ** -0.5)
    sums, freedom = np.zeros(len(codes)), np.zeros(len(codes), np.int64)
    for i, code in enumerate(codes):
        columns = np.eye(code.max() + 1)[code]
        left, sizes, _ = np.linalg.svd(columns - basis @ (basis.T @ columns), full_matrices=False)
        added = left[:, sizes > TOLERANCE]
        if basis.shape[1] + added.shape[1] <= len(values) / 2:
            sums[i], freedom[i] = float(((added.T @ total) ** 2).sum()), added.shape[1]
            basis = np.hstack([basis, added])
    whole = float((total**2).sum())
    if whole <= 0:
        return np.zeros(len(codes))
    rest = (whole - sums.sum()) / (len(values) - basis.shape[1])
    return np.asarray((sums - freedom * rest) / whole)


def jackknife(values: NDArray[np.float64], codes: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Return the standard errors of the shares, (groupings,): each time every fortieth value is left out."""
    count = min(LEFT_OUT, len(values))
    parts = np.arange(len(values)) % count
    found = np.array([sequential_shares(values[parts != i], [c[parts != i] for c in codes]) for i in range(count)])
    return np.asarray(np.sqrt((count - 1) * found.var(axis=0)))
