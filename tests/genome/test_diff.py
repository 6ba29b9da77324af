"""Every difference of two networks is described, and nothing else."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks

from nas.errors import EditError
from nas.genome import Graph, Task, fingerprint, from_json, to_json
from nas.genome.baselines import baseline
from nas.genome.diff import align, differences
from nas.genome.edit import mutate
from nas.genome.primitives import BasicBlock, Conv, GapHead, MaxPool, Relu, Stem

TASK = Task("small", (1, 8, 8), 10)


def residual(widths: tuple[int, ...], pool: bool = False) -> Graph:
    x = Stem(8)(TASK.image())
    for width in widths:
        x = BasicBlock(width)(x)
    return Graph.of(GapHead(10)(MaxPool(2, 2)(x) if pool else x))


SAID = {
    "resnet50 resnet101": ["17 x Bottleneck(256, stride_on=1x1) added after bottleneck_13"],
    "vgg_A vgg_B": ["conv_stack_1 and conv_stack_2 (ConvStack): depth 1 becomes 2"],
    "densenet121 densenet169": ["dense_block_3 (DenseBlock): depth 24 becomes 32",
                                "dense_block_4 (DenseBlock): depth 16 becomes 32"],
    "cifar_resnet56 cifar_resnet56": [],
}  # fmt: skip


@pytest.mark.parametrize("pair", SAID)
def test_what_the_papers_changed(pair: str) -> None:
    first, second = pair.split()
    assert differences(baseline(first), baseline(second)) == SAID[pair]


def test_put_in_and_taken_out_are_told_apart() -> None:
    short, long = residual((8, 8)), residual((8, 8), pool=True)
    assert differences(short, long) == ["one MaxPool(2, 2) added after basic_block_2"]
    assert differences(long, short) == ["one MaxPool(2, 2) removed after basic_block_2"]


def test_many_nodes_that_change_alike_are_one_sentence() -> None:
    assert differences(residual((8,) * 9), residual((16,) * 9)) == [
        "basic_block_1, basic_block_2, basic_block_3, basic_block_4, basic_block_5 and 4 more (BasicBlock): "
        "width 8 becomes 16"
    ]


def test_a_shortcut_led_elsewhere_is_said_and_a_node_between_is_not() -> None:
    def network(from_first: bool) -> Graph:
        image = TASK.image()
        a = Conv(4, 3, padding=1)(image)
        b = Relu()(a)
        c = Conv(4, 3, padding=1)(b)
        return Graph.of(GapHead(10)(c + (a if from_first else b)))

    assert differences(network(True), network(False)) == ["add_1 (Add) reads relu_1 and conv_2 instead of "
                                                          "conv_1 and conv_2"]  # fmt: skip


def test_auxiliary_heads_are_counted() -> None:
    said = differences(baseline("googlenet_paper_aux"), baseline("googlenet_paper_noaux"))
    assert said[-1] == "auxiliary heads: 2 become 0"


@given(networks(), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_an_edited_network_differs_and_the_same_network_does_not(graph: Graph, seed: int) -> None:
    assert differences(graph, from_json(to_json(graph))) == []
    try:
        mutant = mutate(graph, random.Random(seed))
    except EditError:
        return
    assert (differences(graph, mutant) == []) == (fingerprint(graph) == fingerprint(mutant))
    assert differences(mutant, graph)


@given(networks(), networks())
@settings(max_examples=30, deadline=None)
def test_every_node_is_paired_in_order_or_has_no_partner(first: Graph, second: Graph) -> None:
    found = align(first, second)
    places = (
        sorted([*[a for a, _ in found.pairs], *found.removed]),
        sorted([*[b for _, b in found.pairs], *found.added]),
    )
    assert places == (list(range(len(first.nodes))), list(range(len(second.nodes))))
    assert list(found.pairs) == sorted(found.pairs)
    assert [b for _, b in found.pairs] == sorted(b for _, b in found.pairs)
    assert all(type(first.nodes[a].op) is type(second.nodes[b].op) for a, b in found.pairs)
