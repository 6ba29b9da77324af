"""Which layers follow which, against every walk through a networkx view of the network."""

from collections import Counter

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_network

from nas.genome import Graph, Task, Value, lower
from nas.genome.layer_ngrams import layer_ngrams
from nas.genome.layers import Conv
from nas.genome.primitives import BasicBlock, GapHead
from nas.genome.primitives.cells import Zero, nasbench201

TASK = Task("digits", (1, 8, 8), 10)


def found(x: Value) -> dict[str, int]:
    return {" ".join(walk): count for walk, count in layer_ngrams(Graph.of(GapHead(10)(x))).items()}


def test_layers_that_follow_one_another_are_counted_through_joints_and_norms() -> None:
    x = BasicBlock(4, 2)(Conv(4, 3)(TASK.image()))
    assert found(x) == {
        "image": 1, "Conv3@0": 1, "image Conv3@0": 1, "Conv3@1": 2, "Conv1@1": 1, "Linear@": 1,
        "Conv3@0 Conv3@1": 1, "image Conv3@0 Conv3@1": 1, "Conv3@0 Conv1@1": 1, "image Conv3@0 Conv1@1": 1,
        "Conv3@1 Conv3@1": 1, "Conv3@0 Conv3@1 Conv3@1": 1, "Conv3@1 Linear@": 1, "Conv1@1 Linear@": 1,
        "Conv3@1 Conv3@1 Linear@": 1, "Conv3@0 Conv1@1 Linear@": 1,
    }  # fmt: skip


def test_what_a_zero_cuts_off_is_left_out() -> None:
    def cell(one: str) -> dict[str, int]:
        return found(nasbench201(f"|{one}~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|", 4)(TASK.image()))

    assert cell("nor_conv_3x3") == cell("none")
    assert "Conv1@0" in cell("none")


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32))
def test_every_walk_of_kinds_is_counted_once(seed: int) -> None:
    """In a graph of ones, the powers of its adjacency count walks; here they are drawn one by one."""
    graph = random_network(seed, ops=["Conv", "Add", "Relu", "Concat", "MaxPool", "BatchNorm"])
    nodes = lower(graph.main).nodes
    view: nx.MultiDiGraph[int] = nx.MultiDiGraph(
        (before, place) for place, node in enumerate(nodes) for before in node.inputs
    )
    view.add_nodes_from(range(len(nodes)))
    assert not any(isinstance(node.op, Zero) for node in nodes)
    counted = {place: node for place, node in enumerate(nodes) if node.op.values().keys() & {"kernel", "window"}
               or type(node.op).__name__ in ("Input", "Linear")}  # fmt: skip

    def follow(place: int) -> Counter[int]:
        """The counted nodes behind a node, once a way through the others."""
        after: Counter[int] = Counter()
        for _, reader in view.out_edges(place):
            after += Counter({reader: 1}) if reader in counted else follow(reader)
        return after

    pairs = {place: follow(place) for place in counted}
    twos = sum(count for after in pairs.values() for count in after.values())
    threes = sum(count * pairs[b].total() for after in pairs.values() for b, count in after.items())
    lengths: Counter[int] = Counter()
    for walk, count in layer_ngrams(graph).items():
        lengths[len(walk)] += count
    assert [lengths[size] for size in (1, 2, 3)] == [len(counted), twos, threes]
