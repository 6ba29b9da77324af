"""Evidence from finished searches: observational, because a search varies everything at once.

A feature of each network is correlated with its error by rank within bands of MACs, so that cost explains nothing. The
bands are pooled, and p values come from shuffling errors within bands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from nas.genome.graph import Graph, lower
from nas.genome.layers import Add, Concat
from nas.genome.metrics import bottlenecks, head_share, measure
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.statistics import holm

Array = NDArray[np.float64]
BANDS = 3
MIN_IN_BAND = 5  # networks
SHUFFLES = 2_000


@dataclass(frozen=True)
class Feature:
    """A measured feature of a network; `sign` is +1 where the principle expects higher values to lower the error."""

    name: str
    principle: str
    sign: int
    measure: Callable[[Graph], float]


def joins_per_layer(kind: type[Add] | type[Concat]) -> Callable[[Graph], float]:
    """Return a function that counts joins of a kind per weighted layer."""

    def count(graph: Graph) -> float:
        nodes = lower(graph.main).nodes
        return sum(isinstance(node.op, kind) for node in nodes) / max(1.0, measure(graph)["depth"])

    return count


FEATURES = (
    Feature("additions per layer (shortcuts)", "h10", 1, joins_per_layer(Add)),
    Feature("concatenations per layer", "h14", 1, joins_per_layer(Concat)),
    Feature("narrowest ratio of successive grids", "h06", 1, lambda graph: min(bottlenecks(graph), default=1.0)),
    Feature("growth of widths", "h08", 1, lambda graph: measure(graph)["growth"]),
    Feature("parameters in the head", "h17", -1, head_share),
)


@dataclass(frozen=True)
class Evidence:
    """A feature against the error in one run.

    correlation: of ranks within bands of MACs, positive where it supports the principle. p: two-sided, by shuffling,
    with Holm's correction over the features of the run. networks: their number.
    """

    run: str
    feature: Feature
    correlation: float
    p: float
    networks: int

    @property
    def outcome(self) -> str:
        """Return the direction at 5 %: "agrees", "disagrees" or "undecided"."""
        if self.p >= 0.05:
            return "undecided"
        return "agrees" if self.correlation > 0 else "disagrees"


def evidence_of_run(run: Run) -> list[Evidence]:
    """Return evidence of each feature that varies among a run's complete trials; none with too few for three bands."""
    records = [record for record in run.records if record.error is not None]
    if len(records) < BANDS * MIN_IN_BAND:
        return []
    bands = _bands(records)
    errors = np.array([record.error for record in records])
    observed = []
    for feature in FEATURES:
        values = np.array([feature.measure(record.graph) for record in records])
        if np.ptp(values) > 0:
            observed.append((feature, *rank_correlation(-feature.sign * values, errors, bands)))
    corrected = holm([p for *_, p in observed])
    return [
        Evidence(run.path.name, feature, correlation, p, len(records))
        for (feature, correlation, _), p in zip(observed, corrected, strict=True)
    ]


def _bands(records: Sequence[TrialRecord]) -> list[NDArray[np.intp]]:
    """Return the indices of equal shares of the records by MACs."""
    return np.array_split(np.argsort([record.cost.macs for record in records], kind="stable"), BANDS)


def rank_correlation(values: Array, errors: Array, bands: Sequence[NDArray[np.intp]]) -> tuple[float, float]:
    """Return the correlation of ranks within bands and its two-sided p by shuffling; 0 and 1 without variation."""
    x = np.concatenate([_centered_ranks(values[band]) for band in bands])
    y = [_centered_ranks(errors[band]) for band in bands]
    pooled = np.concatenate(y)
    norm = float(np.linalg.norm(x) * np.linalg.norm(pooled))
    if not norm:
        return 0.0, 1.0
    rng = np.random.default_rng(0)
    shuffled = np.concatenate([rng.permuted(np.tile(part, (SHUFFLES, 1)), axis=1) for part in y], axis=1) @ x
    observed = float(x @ pooled)
    p = (1 + int((np.abs(shuffled) >= abs(observed) - 1e-9).sum())) / (1 + SHUFFLES)
    return observed / norm, p


def _centered_ranks(values: Array) -> Array:
    ranks = rankdata(values)
    return np.asarray(ranks - ranks.mean())
