"""A model of latency learned from measured networks: non-negative least squares of relative errors.

The features are those of all layers of a network, added up; the weights are milliseconds per unit and cannot be
negative (Lawson & Hanson 1974, chapter 23), so an unmeasured combination of layers is never predicted below zero.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas.device.latency.latency_model import HeldOutError, LatencyModel
from nas.device.latency.layer_features import layer_features
from nas.device.latency.measurement import Latency, LatencyProvider
from nas.errors import LatencyError
from nas.genome.graph import Graph, lower

Array = NDArray[np.float64]
Features = dict[tuple[str, str], float]  # by kind and quantity
FOLDS = 10  # of cross-validation
MIN_NETWORKS = 20
MAX_NETWORKS = 100  # the error of 100 drawn networks of the space `mixed` is that of 60, and of a chosen spread of 100
NETWORK = "network"  # a kind of which every network has one


def learn_latency(name: str, provider: LatencyProvider, graphs: Sequence[Graph]) -> LatencyModel:
    """Return the model of networks that the provider of this name measures. Raises LatencyError."""
    return fit_latency(name, provider.description(), graphs, provider.measure(*graphs))


def fit_latency(provider: str, measured_on: str, graphs: Sequence[Graph], latencies: Sequence[Latency]) -> LatencyModel:
    """Return the model of measured networks, with its error by cross-validation over FOLDS.

    Raises LatencyError for fewer than MIN_NETWORKS networks, or a latency that is not above 0.
    """
    measured = np.array([each.median_ms for each in latencies])
    if len(graphs) < MIN_NETWORKS:
        raise LatencyError(f"a model of latency needs at least {MIN_NETWORKS} measured networks, not {len(graphs)}")
    if not np.all(np.isfinite(measured) & (measured > 0)):
        raise LatencyError(f"{provider} measured a latency that is not above 0 ms; no model can be fitted")
    own, families = (Table([network_features(graph, by) for graph in graphs]) for by in ("kind", "family"))
    weights = own.weights(own.solve(measured))
    network_ms = weights.pop(NETWORK).get("layers", 0.0)
    general = families.weights(families.solve(measured))
    del general[NETWORK]
    error = held_out_error(_cross_validated(own, measured), measured)
    return LatencyModel(provider, measured_on, network_ms, general | weights, error)


def network_features(graph: Graph, by: Literal["kind", "family"] = "kind") -> Features:
    """Return the numbers of all layers added up by kind, or by family, and quantity; NETWORK counts as a kind."""
    total: Features = defaultdict(float, {(NETWORK, "layers"): 1.0})
    for node in lower(graph.main).nodes:
        if found := layer_features(node.placed):
            for name, value in found.numbers.items():
                total[getattr(found, by), name] += value
    return dict(total)


class Table:
    """The features of several networks as a matrix: a row per network, a column per feature of any of them."""

    def __init__(self, rows: Sequence[Features]) -> None:
        self.names = sorted(set().union(*rows))
        self.values = np.array([[row.get(name, 0.0) for name in self.names] for row in rows])

    def solve(self, measured: Array, kept: NDArray[np.bool_] | None = None) -> Array:
        """Return the non-negative weights with the least squares of relative errors, of the rows that are kept."""
        from scipy.optimize import nnls

        values, measured = (self.values, measured) if kept is None else (self.values[kept], measured[kept])
        scale = np.where(values.any(axis=0), values.max(axis=0), 1.0)  # counts and MACs differ by ten orders
        weights, _ = nnls(values / scale / measured[:, None], np.ones(len(measured)), maxiter=100 * values.shape[1])
        return np.asarray(weights / scale)

    def weights(self, solved: Array) -> dict[str, dict[str, float]]:
        """Return weights by kind and quantity, those that are 0 left out; a kind without any stays."""
        found: dict[str, dict[str, float]] = {kind: {} for kind, _ in self.names}
        for (kind, name), ms in zip(self.names, solved.tolist(), strict=True):
            if ms > 0:
                found[kind][name] = ms
        return found


def held_out_error(predicted: Array, measured: Array) -> HeldOutError:
    """Return how far predictions of held-out networks are from their measurements."""
    from scipy.stats import spearmanr

    relative, over = np.abs(predicted / measured - 1), measured / predicted - 1
    varied = len(set(predicted)) > 1 and len(set(measured)) > 1
    return HeldOutError(
        median=float(np.median(relative)),
        percentile_90=float(np.quantile(relative, 0.9)),
        margin=max(0.0, float(np.quantile(over, 0.9))),
        rank_correlation=float(spearmanr(predicted, measured).statistic) if varied else 0.0,
        networks=len(measured),
    )


def _cross_validated(table: Table, measured: Array) -> Array:
    """Return a prediction of each network by a model of the other folds."""
    fold = np.random.default_rng(0).permutation(len(measured)) % FOLDS
    predicted = np.empty(len(measured))
    for each in range(FOLDS):
        held_out = fold == each
        predicted[held_out] = table.values[held_out] @ table.solve(measured, ~held_out)
    return predicted
