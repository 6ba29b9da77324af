"""Readings of known networks, and of random ones against networkx and torch's own gradients."""

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_network

from nas.genome import Graph, Input, Task, Value, cost, lower
from nas.genome.activations import Relu
from nas.genome.layers import AvgPool, Concat, Conv, Dropout, GlobalPool, Linear, MaxPool
from nas.genome.metrics import (
    Stage,
    bottlenecks,
    branches,
    head_share,
    measure,
    path_lengths,
    receptive_field,
    receptive_fields,
    stages,
)
from nas.genome.norms import BatchNorm
from nas.genome.primitives import (
    BasicBlock,
    Bottleneck,
    ConvStack,
    ConvUnit,
    FcHead,
    GapHead,
    ImageNetStem,
    SqueezeExcite,
    Stem,
)
from nas.model import module

IMAGENET = Task("imagenet", (3, 224, 224), 1000)
seeds = st.integers(0, 2**32)


def resnet(block: type, depths: tuple[int, ...], **options: str) -> Graph:
    x = ImageNetStem()(IMAGENET.image())
    for i, depth in enumerate(depths):
        for j in range(depth):
            x = block(64 * 2**i, 2 if i and not j else 1, **options)(x)
    return Graph.of(GapHead(1000)(x))


def vgg(depths: tuple[int, ...]) -> Graph:
    x = IMAGENET.image()
    for width, depth in zip((64, 128, 256, 512, 512), depths, strict=True):
        x = MaxPool(2, 2)(ConvStack(width, depth, norm=False)(x))
    return Graph.of(FcHead(1000)(x))


RESNET_50 = resnet(Bottleneck, (3, 4, 6, 3))


@pytest.mark.parametrize(
    ("graph", "pixels"),
    [
        (vgg((1, 1, 2, 2, 2)), 150),
        (vgg((2, 2, 3, 3, 3)), 212),
        (resnet(BasicBlock, (2, 2, 2, 2)), 435),
        (RESNET_50, 427),
        (resnet(Bottleneck, (3, 4, 6, 3), stride_on="1x1"), 483),
    ],
)
def test_receptive_fields_of_published_networks(graph: Graph, pixels: int) -> None:
    assert receptive_field(graph) == pixels


def test_readings_of_resnet_50() -> None:
    widths = {112: 64, 56: 256, 28: 512, 14: 1024, 7: 2048}
    assert stages(RESNET_50) == [Stage((side, side), width) for side, width in widths.items()]
    assert bottlenecks(RESNET_50) == [1.0, 0.5, 0.5, 0.5]
    assert branches(RESNET_50) == 16
    paths = path_lengths(RESNET_50)
    # Four of the sixteen shortcuts are projections: a weighted layer on each way.
    assert (paths.shortest, paths.longest, paths.count) == (6, 50, 2**16)
    assert paths.mean == (6 + 50) / 2
    assert head_share(RESNET_50) == (2048 * 1000 + 1000) / 25_557_032


def test_a_head_of_fully_connected_layers_holds_most_of_vgg() -> None:
    assert head_share(vgg((2, 2, 3, 3, 3))) == pytest.approx(0.894, abs=5e-4)
    assert branches(vgg((2, 2, 3, 3, 3))) == 0


def test_a_gate_is_neither_a_stage_nor_the_end_of_the_receptive_field() -> None:
    x = SqueezeExcite(2)(ConvUnit(16, 5, 2)(Stem(8)(Task("digits", (1, 8, 8), 10).image())))
    found = measure(Graph.of(GapHead(10)(x)))
    assert found["receptive_field"] == 1 + 2 + 4
    assert (found["stages"], found["bottleneck"], found["growth"]) == (2, 0.5, 2.0)
    assert found["depth"] == 1 + 1 + 2 + 1


def test_a_network_of_features_has_readings_too() -> None:
    readings = measure(Graph.of(Linear(3)(Relu()(Linear(8)(Input((5,))())))))
    assert readings["depth"] == 2
    assert readings["head_share"] == 1.0
    assert (readings["receptive_field"], readings["stages"], readings["growth"]) == (1, 0, 1.0)


@given(seeds)
def test_readings_do_not_depend_on_the_primitives_used(seed: int) -> None:
    graph = random_network(seed)
    readings = measure(graph)
    assert readings == measure(lower(graph))
    assert readings["depth"] == cost(graph).depth
    assert readings["shortest_path"] <= readings["mean_path"] <= readings["depth"]
    assert 0 <= readings["head_share"] <= 1


@given(seeds)
def test_paths_and_branches_equal_those_of_networkx(seed: int) -> None:
    graph = lower(random_network(seed, nodes=4))
    net: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    for place, node in enumerate(graph.nodes):
        weight = int(getattr(node.op, "weighted", False))
        net.add_edges_from((i, place, {"weight": weight}) for i in node.inputs)
    end = graph.outputs[0]
    paths = path_lengths(graph)
    assert paths.shortest == nx.shortest_path_length(nx.DiGraph(net), 0, end, weight="weight")
    assert paths.longest == nx.dag_longest_path_length(net, weight="weight")
    assert branches(graph) == net.number_of_edges() - net.number_of_nodes() + 1


def test_paths_without_number_are_counted_not_listed() -> None:
    x = Stem(4)(Task("t", (1, 8, 8), 2).image())
    for _ in range(1_500):
        x = x + x
    assert path_lengths(Graph.of(GapHead(2)(x))).count == 2**1_500


sliding = st.one_of(
    st.builds(Conv, st.just(1), st.integers(1, 5), st.integers(1, 2), padding=st.integers(0, 2)),
    st.builds(AvgPool, st.integers(1, 3), st.integers(1, 2)),
    st.builds(Conv, st.just(1), st.tuples(st.integers(1, 4), st.integers(1, 4)), padding=st.just((1, 0))),
)


@given(st.lists(sliding, min_size=1, max_size=3), st.lists(sliding, max_size=2))
@settings(max_examples=60)
def test_a_unit_sees_what_its_gradient_reaches(first: list[Conv], second: list[Conv]) -> None:
    """With every weight 1, a unit in the middle has a gradient exactly on the pixels it sees."""
    x: Value = Input((1, 64, 64))()
    for op in first:
        x = op(x)
    y = x
    for op in second:
        y = op(y)
    if x is not y and x.shape == y.shape:
        y = Concat()(x, y)
    graph = Graph.of(y)
    (rows, columns) = receptive_fields(graph)[graph.nodes[-1].name]

    network = module(graph)
    for weight in network.parameters():
        torch.nn.init.ones_(weight)
    image = torch.ones(1, 1, 64, 64, requires_grad=True)
    middle = [side // 2 for side in y.shape[1:]]
    network(image)[0, :, middle[0], middle[1]].sum().backward()
    assert image.grad is not None
    for sight, unit, seen in zip(
        (rows, columns), middle, (image.grad.sum((0, 1, 3)), image.grad.sum((0, 1, 2))), strict=True
    ):
        touched = seen.nonzero().flatten().tolist()
        assert touched[0] == max(0, sight.low + unit * sight.stride)
        assert touched[-1] == min(63, sight.high + unit * sight.stride)


def test_dropout_and_norms_see_one_unit() -> None:
    x = Dropout(0.5)(BatchNorm()(Conv(4, 3)(Input((1, 16, 16))())))
    assert receptive_field(Graph.of(GlobalPool()(x))) == 3
