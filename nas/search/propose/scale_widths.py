"""A network made narrower until it is inside a budget, for networks without choices to change."""

from nas.genome.edit import scale
from nas.genome.graph import Graph
from nas.search.objectives import Budget, CountedNetwork

MIN_FACTOR = 0.02  # of its own widths; below, it is hardly the same network
HALVINGS = 10  # of the interval in which the factor is sought


def scale_widths(graph: Graph, budget: Budget) -> tuple[float, Graph] | None:
    """Return the largest factor found that brings the network below the budget's upper limits, and that network.

    The factor is 1 where it is below them already. None where even MIN_FACTOR is not enough.
    """
    if _is_below(graph, budget):
        return 1.0, graph
    low, high = MIN_FACTOR, 1.0
    found = scale(graph, low)
    if not _is_below(found, budget):
        return None
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        tried = scale(graph, middle)
        if _is_below(tried, budget):
            low, found = middle, tried
        else:
            high = middle
    return low, found


def _is_below(graph: Graph, budget: Budget) -> bool:
    network = CountedNetwork.of(graph)
    return all(limit.max is None or budget.value(name, network) <= limit.max for name, limit in budget.items())
