"""The fingerprint is the same for all ways of writing one network, and different for any two networks."""

import json
import random
import subprocess
import sys
import time
from itertools import combinations, pairwise
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networkx.algorithms.isomorphism import categorical_multiedge_match, categorical_node_match
from random_networks import random_network

from nas.genome import Graph, Input, Value, fingerprint, from_json, lower, to_json
from nas.genome.activations import Relu
from nas.genome.baselines import BASELINES, baseline
from nas.genome.layers import Add, Concat, Conv, GlobalPool, Linear, MaxPool
from nas.genome.norms import BatchNorm
from nas.genome.primitives import BasicBlock, Bottleneck, ConvUnit, DenseBlock, GapHead, Stem

seeds = st.integers(0, 2**32)
GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "fingerprints.json").read_text(encoding="utf-8"))


def image(channels: int = 4) -> Value:
    return Input((channels, 8, 8))()


def named(*heads: Value) -> str:
    return fingerprint(Graph.of(*heads))


def shuffled(graph: Graph, rng: random.Random) -> Graph:
    """The same network: other names, another order of the list, the inputs of sums swapped."""
    values: dict[int, Value] = {}
    while len(values) < len(graph.nodes):
        ready = [p for p, node in enumerate(graph.nodes) if p not in values and all(i in values for i in node.inputs)]
        place = rng.choice(ready)
        node = graph.nodes[place]
        inputs = [values[i] for i in node.inputs]
        if isinstance(node.op, Add):
            rng.shuffle(inputs)
        values[place] = node.op(*inputs, name=f"n{rng.randrange(10**9)}_{place}")
    return Graph.of(*(values[i] for i in graph.outputs))


@given(seeds)
def test_names_order_and_primitives_do_not_count(seed: int) -> None:
    graph = random_network(seed)
    mark = fingerprint(graph)
    rng = random.Random(seed)
    assert fingerprint(lower(graph)) == mark
    assert fingerprint(shuffled(graph, rng)) == mark
    assert fingerprint(shuffled(lower(graph), rng)) == mark


def small_network(rng: random.Random) -> Graph:
    """Few kinds of op on few nodes, so that two draws are often one network. Every sum is followed by a ReLU."""
    values = [image()]
    for _ in range(rng.randint(2, 5)):
        kind = rng.random()
        one, other = rng.choices(values, k=2)
        if kind < 0.5:
            values.append(rng.choice([Conv(4, 3), Conv(4, 3), Conv(4, 1)])(one))
        else:
            values.append(Relu()(one + other) if kind < 0.9 else Conv(4, 1)(Concat()(one, other)))
    loose = [v for v in values if not any(v in w.inputs for w in values)]
    total = Concat()(*loose) if len(loose) > 1 else loose[0]
    return Graph.of(Linear(2)(GlobalPool()(total)))


def as_networkx(graph: Graph) -> "nx.MultiDiGraph[int]":
    net: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    for place, node in enumerate(graph.nodes):
        net.add_node(place, op=str(node.op))
        for port, i in enumerate(node.inputs):
            net.add_edge(i, place, port=0 if isinstance(node.op, Add) else port)
    return net


def test_equal_fingerprints_are_isomorphic_graphs_and_no_others() -> None:
    rng = random.Random(1)
    graphs = [small_network(rng) for _ in range(320)]
    nets = [as_networkx(graph) for graph in graphs]
    marks = [fingerprint(graph) for graph in graphs]
    ops, ports = categorical_node_match("op", ""), categorical_multiedge_match("port", 0)
    equal = 0
    for a, b in combinations(range(len(graphs)), 2):
        if len(nets[a]) == len(nets[b]):
            same = nx.is_isomorphic(nets[a], nets[b], node_match=ops, edge_match=ports)
            assert (marks[a] == marks[b]) == same
            equal += same
    assert 50 < equal < 5_000  # the test has seen both


def test_shared_weights_and_equal_branches_are_told_apart() -> None:
    x = image()
    conv = Conv(4, 3)
    once = conv(x)
    assert named(GapHead(2)(once + once)) != named(GapHead(2)(conv(x) + conv(x)))
    shared = ConvUnit(4)(x)
    assert named(GapHead(2)(Concat()(shared, shared))) != named(GapHead(2)(Concat()(ConvUnit(4)(x), ConvUnit(4)(x))))


def test_the_order_of_a_concat_and_of_layers_counts() -> None:
    x = image()
    a, b = Conv(4, 3)(x), Conv(4, 1)(x)
    assert named(Concat()(a, b)) != named(Concat()(b, a))
    assert named(Relu()(BatchNorm()(x))) != named(BatchNorm()(Relu()(x)))
    assert named(a + b) == named(b + a)


def test_a_sum_of_several_may_be_taken_in_any_order() -> None:
    x = image()
    a, b, c, d = (Conv(4, k)(x) for k in (1, 3, 5, 7))
    assert named(((a + b) + c) + d) == named((d + b) + (c + a))
    part = a + b
    assert named(Concat()(part + c, part)) != named(Concat()(a + (b + c), part))  # there the part is read twice


def test_every_hyperparameter_and_the_image_count() -> None:
    x = image()
    ops = [Conv(4, 3), Conv(4, 3, bias=True), Conv(4, 3, groups=2), Conv(4, (1, 3)), MaxPool(3, 1, 1), Conv(8, 3)]
    marks = {named(op(x)) for op in ops} | {named(Conv(4, 3)(image(8))), named(Conv(4, 3)(Input((4, 8, 9))()))}
    assert len(marks) == 8


def test_auxiliary_heads_count_and_their_order_does() -> None:
    x = Stem(4)(image())
    heads = [GapHead(2)(x), GapHead(2)(Relu()(x)), GapHead(2)(BatchNorm()(x))]
    marks = {named(heads[0]), named(*heads), named(heads[0], heads[2], heads[1]), named(heads[1], heads[0], heads[2])}
    assert len(marks) == 4


def test_branches_that_end_in_one_head_are_told_from_crossed_ones() -> None:
    """Local colours alone do not see the difference: two pairs of branches, joined within or across."""
    x = image()

    def network(crossed: bool) -> str:
        first = [Relu()(Conv(4, 3)(x)) for _ in range(4)]
        order = [(0, 1), (1, 2), (2, 3), (3, 0)] if crossed else [(0, 1), (1, 0), (2, 3), (3, 2)]
        sums = [Relu()(first[a] + first[b]) for a, b in order]
        return named((sums[0] + sums[1]) + (sums[2] + sums[3]))

    assert network(True) != network(False)


def test_the_fingerprint_is_a_lasting_key() -> None:
    """Studies store it: it must not change between processes or releases."""
    program = (
        "from nas.genome import *\nfrom nas.genome.primitives import *\n"
        "x = BasicBlock(8, 2)(DenseBlock(4, 2)(Stem(8)(Input((3, 8, 8))())))\n"
        "print(fingerprint(Graph.of(GapHead(10)(x))))"
    )
    x = BasicBlock(8, 2)(DenseBlock(4, 2)(Stem(8)(Input((3, 8, 8))())))
    assert fingerprint(Graph.of(GapHead(10)(x))) == "7d48ff5a53797914f83dabab3bf9dde5"
    again = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == "7d48ff5a53797914f83dabab3bf9dde5"


def seconds(graph: Graph) -> float:
    start = time.process_time()
    fingerprint(graph)
    return time.process_time() - start


def test_many_blocks_of_equal_branches_take_no_time() -> None:
    x = image()
    for _ in range(100):
        x = Relu()(Conv(4, 3)(x) + Conv(4, 3)(x))
    assert seconds(Graph.of(GapHead(2)(x))) < 0.5


def ring(count: int) -> Graph:
    """Equal branches, each summed with the next: every choice looks like every other."""
    x = image()
    branches = [Conv(4, 3)(x) for _ in range(count)]
    total = Relu()(branches[0] + branches[-1])
    for a, b in pairwise(branches):
        total = total + Relu()(a + b)
    return Graph.of(GapHead(2)(total))


@given(seeds)
def test_a_ring_of_equal_branches_is_one_network(seed: int) -> None:
    assert fingerprint(shuffled(ring(6), random.Random(seed))) == fingerprint(ring(6))


def test_a_crafted_network_does_not_hold_up() -> None:
    assert seconds(ring(300)) < 5


def test_a_large_network_is_named_in_milliseconds() -> None:
    x = Stem(16)(Input((3, 32, 32))())
    for i in range(54):
        x = Bottleneck(4 * (i // 18 + 1), 1)(x)
    graph = Graph.of(GapHead(10)(x))
    assert min(seconds(graph) for _ in range(3)) < 0.05


@pytest.mark.parametrize("name", BASELINES)
def test_fingerprints_stay_what_they_were(name: str) -> None:
    assert fingerprint(baseline(name)) == GOLDEN[name], "studies know their networks by these"


def test_a_renamed_op_is_read_by_its_former_name_and_keeps_its_fingerprint() -> None:
    graph = baseline("densenet_bc_100_12")
    text = to_json(lower(graph))
    former = text.replace('"BatchNorm"', '"Norm"').replace('"LocalResponseNorm"', '"LocalNorm"')
    assert former != text
    assert from_json(former) == lower(graph)
