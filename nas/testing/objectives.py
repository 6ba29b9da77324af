"""The contract of an objective: call `check_objective` in a test. Nothing is trained."""

import math

from nas.genome import Graph, cost, lower
from nas.genome.baselines import baseline
from nas.search.objectives import CountedNetwork, Objective
from nas.search.propose.candidate import Candidate
from nas.testing.trials import untrained_trial

NETWORKS = ("lenet5_modern", "nin_cifar10", "resnet18")


def check_objective(objective: Objective) -> None:
    """Check an objective: how it describes itself, and its value on a few published networks.

    An exact one gives the same value for a network written in layers only. A measured one is read from a trial with a
    made-up error. Raises AssertionError that names the broken promise.
    """
    assert objective.name.isidentifier(), f"the name {objective.name!r} is not usable as a key of TOML"
    assert len(objective.title.splitlines()) == 1, "the title is not one line"
    assert objective.title in objective.summary, "the summary does not have the title"
    for name in NETWORKS:
        graph = baseline(name)
        value = objective_value(objective, graph)
        assert math.isfinite(value), f"{name}: {value} is not finite"
        assert value >= objective.lower_bound, f"{name}: {value} is below the lower bound"
        upper = math.inf if objective.upper_bound is None else objective.upper_bound
        assert value <= upper, f"{name}: {value} is above the upper bound"
        if objective.exact:
            assert value == objective_value(objective, lower(graph)), (
                f"{name}: the value changes when primitives are written out"
            )


def objective_value(objective: Objective, graph: Graph) -> float:
    """Return the value for a network, from the graph alone if it is exact, or else from a trial with made-up scores."""
    if objective.exact:
        return float(objective.of(CountedNetwork.of(graph)))
    return float(objective.of(untrained_trial(0, Candidate({}, {}, graph, cost(graph)), 0.25)))
