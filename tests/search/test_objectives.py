"""Objectives and budgets: one registry, and what a budget allows."""

import pytest

from nas.errors import BudgetError
from nas.genome import Cost, Task
from nas.genome.graph import Graph
from nas.genome.primitives import GapHead, Stem
from nas.search.objectives import OBJECTIVES, Budget, CountedNetwork, Range
from nas.testing.objectives import check_objective

GRAPH = Graph.of(GapHead(10)(Stem(8)(Task("digits", (1, 8, 8), 10).image())))


def test_ranges_and_budgets() -> None:
    network = CountedNetwork(GRAPH, Cost(params=110, macs=50, activations=1, peak_bytes=1, depth=3))
    budget = Budget(params=Range(max=100), macs=Range(40, 60))
    assert budget.excess(network) == {"params": pytest.approx(0.1), "macs": pytest.approx(-1 / 6)}
    assert not budget.allows(network)
    assert Budget(macs=Range(min=50)).allows(network)
    assert Budget(macs=Range(min=100)).excess(network) == {"macs": 0.5}
    assert budget.as_dict() == {"params": {"max": 100}, "macs": {"min": 40, "max": 60}}
    assert Budget().allows(network)
    with pytest.raises(BudgetError, match=r"`min` \(=2\) is above `max` \(=1\)"):
        Range(2, 1)


@pytest.mark.parametrize(
    ("name", "says"),
    [("error", "is measured by training"), ("parms", "did you mean 'params'"), ("speed", "is not an objective")],
)
def test_only_what_is_known_before_training_can_be_limited(name: str, says: str) -> None:
    with pytest.raises(BudgetError, match=says):
        Budget({name: Range(max=1)})


def test_a_budget_is_a_mapping() -> None:
    budget = Budget({"macs": Range(max=5)}, params=Range())
    assert dict(budget) == {"macs": Range(max=5)}
    assert budget == Budget(macs=Range(max=5))
    assert hash(budget) == hash(Budget(macs=Range(max=5)))
    assert budget.worst(CountedNetwork(GRAPH, Cost(1, 10, 1, 1, 1))) == ("macs", 1.0)
    assert Budget().worst(CountedNetwork.of(GRAPH)) == ("", -1.0)


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if not OBJECTIVES[name].modeled])
def test_the_contract(name: str) -> None:
    assert OBJECTIVES[name].name == name
    check_objective(OBJECTIVES[name])
