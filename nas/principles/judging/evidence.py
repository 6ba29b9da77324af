"""What finished searches say of the principles: observational, since no search varies one thing alone.

Within bands of MACs, so that cost explains nothing, a measured feature of each network is set against its error by
rank; the bands are put together and the chance of such a correlation is found by shuffling errors within bands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from nas.genome.graph import Graph, lower
from nas.genome.layers import Add, Concat
from nas.genome.metrics import bottlenecks, head_share, measure
from nas.principles.judging.statistics import holm
from nas.search.store.run import Run
from nas.search.trial import TrialRecord

Array = NDArray[np.float64]
BANDS = 3
MIN_IN_BAND = 5  # networks in a band
SHUFFLES = 2_000


@dataclass(frozen=True)
class Feature:
    """Something measured of a network; `sign` is +1 where the principle expects more of it to lower the error."""

    name: str
    principle: str
    sign: int
    read: Callable[[Graph], float]


def share(kind: type[Add] | type[Concat]) -> Callable[[Graph], float]:
    """How many joins of a kind there are a weighted layer."""

    def read(graph: Graph) -> float:
        nodes = lower(graph.main).nodes
        return sum(isinstance(node.op, kind) for node in nodes) / max(1.0, measure(graph)["depth"])

    return read


FEATURES = (
    Feature("additions a layer (shortcuts)", "h10", 1, share(Add)),
    Feature("concatenations a layer", "h14", 1, share(Concat)),
    Feature("narrowest ratio of successive grids", "h06", 1, lambda graph: min(bottlenecks(graph), default=1.0)),
    Feature("growth of widths", "h08", 1, lambda graph: measure(graph)["growth"]),
    Feature("parameters in the head", "h17", -1, head_share),
)


@dataclass(frozen=True)
class Evidence:
    """A feature against the error in one run.

    correlation: of ranks within bands of MACs, positive where it speaks for the principle. p: two-sided, by shuffling,
    Holm-corrected over the features of the run. networks: how many were read.
    """

    run: str
    feature: Feature
    correlation: float
    p: float
    networks: int

    @property
    def word(self) -> str:
        """How it leans at 5 %."""
        if self.p >= 0.05:
            return "undecided"
        return "agrees" if self.correlation > 0 else "disagrees"


def evidence(run: Run) -> list[Evidence]:
    """The features that vary among a run's complete trials; none where there are too few for three bands."""
    records = [record for record in run.records if record.error is not None]
    if len(records) < BANDS * MIN_IN_BAND:
        return []
    bands = _bands(records)
    errors = np.array([record.error for record in records])
    found = []
    for feature in FEATURES:
        values = np.array([feature.read(record.graph) for record in records])
        if np.ptp(values) > 0:
            found.append((feature, *correlation(-feature.sign * values, errors, bands)))
    corrected = holm([p for *_, p in found])
    return [
        Evidence(run.path.name, feature, seen, p, len(records))
        for (feature, seen, _), p in zip(found, corrected, strict=True)
    ]


def _bands(records: Sequence[TrialRecord]) -> list[NDArray[np.intp]]:
    """Equal shares of the records by MACs."""
    return np.array_split(np.argsort([record.cost.macs for record in records], kind="stable"), BANDS)


def correlation(values: Array, errors: Array, bands: Sequence[NDArray[np.intp]]) -> tuple[float, float]:
    """Of ranks within bands, and the two-sided p of shuffled errors; 0 and 1 where a band has no variation."""
    x = np.concatenate([_centred(values[band]) for band in bands])
    y = [_centred(errors[band]) for band in bands]
    whole = np.concatenate(y)
    scale = float(np.linalg.norm(x) * np.linalg.norm(whole))
    if not scale:
        return 0.0, 1.0
    dice = np.random.default_rng(0)
    shuffled = np.concatenate([dice.permuted(np.tile(part, (SHUFFLES, 1)), axis=1) for part in y], axis=1) @ x
    seen = float(x @ whole)
    p = (1 + int((np.abs(shuffled) >= abs(seen) - 1e-9).sum())) / (1 + SHUFFLES)
    return seen / scale, p


def _centred(values: Array) -> Array:
    ranks = rankdata(values)
    return np.asarray(ranks - ranks.mean())
