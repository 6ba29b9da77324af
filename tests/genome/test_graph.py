"""The list itself: ops are interned, graphs compare by their contents."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import clear_caches, random_network

from nas.errors import GenomeError, ShapeError
from nas.genome import Graph, Input, from_json, lower, to_json
from nas.genome.activations import Relu
from nas.genome.layers import Add, Concat, Conv, MaxPool
from nas.genome.node_names import snake
from nas.genome.primitives import BasicBlock, GapHead, Stem

seeds = st.integers(0, 2**32)


def test_equal_ops_are_one_object_and_checked_all_the_same() -> None:
    assert Conv(8, 3) is Conv(8, 3)
    assert Conv(8, 3, bias=True) == Conv(8, (3, 3), bias=True)
    assert Conv(8, 3, bias=True) != Conv(8, 3)
    for wrong in (True, 8.0, "8", None, 0, 10**30):
        with pytest.raises(GenomeError, match="`width`"):
            Conv(wrong, 3)  # type: ignore[arg-type]
    MaxPool((2, 1), (1, 2))
    with pytest.raises(GenomeError, match=r"`window` \(=\(2, True\)\)"):
        MaxPool((2, True), (1, 2))


@given(seeds)
def test_equality_does_not_depend_on_what_is_kept(seed: int) -> None:
    graph = random_network(seed)
    text = to_json(graph)
    copy = pickle.loads(pickle.dumps(graph))
    clear_caches()
    assert copy == graph == from_json(text)
    assert hash(copy) == hash(graph)
    assert lower(copy) == lower(graph)


@given(seeds)
def test_a_graph_drawn_again_is_the_same(seed: int) -> None:
    graph = random_network(seed)
    assert Graph.of(*(graph.to_values()[i] for i in graph.outputs)) == graph
    written = lower(graph)
    assert Graph.of(*(written.to_values()[i] for i in written.outputs)) == written
    assert all(i < place for place, node in enumerate(written.nodes) for i in node.inputs)


def test_only_what_reaches_an_output_is_kept() -> None:
    x = Stem(4)(Input((3, 8, 8))())
    Conv(4, 3)(x)
    graph = Graph.of(GapHead(2)(Relu()(x)))
    assert [node.name for node in graph.nodes] == ["input", "stem_1", "relu_1", "gap_head_1"]


def test_an_acronym_is_one_word_of_a_name() -> None:
    assert [snake(name) for name in ("DenseBlock", "InceptionA", "RepVGGBlock", "RepConv", "Relu6", "FcHead")] == [
        "dense_block", "inception_a", "rep_vgg_block", "rep_conv", "relu6", "fc_head",
    ]  # fmt: skip


def test_names_made_up_keep_clear_of_names_given() -> None:
    x = Input((3, 8, 8))()
    y = Relu()(Relu()(x, name="relu_1"))
    assert [node.name for node in Graph.of(y).nodes] == ["input", "relu_1", "relu_2"]
    with pytest.raises(GenomeError, match="two nodes are named 'a'"):
        Graph.of(Relu()(Relu()(x, name="a"), name="a"))


@pytest.mark.parametrize(("op", "count"), [(Relu(), 2), (Add(), 1), (Add(), 3), (Concat(), 1), (BasicBlock(4), 2)])
def test_an_op_takes_as_many_inputs_as_it_says(op: Relu, count: int) -> None:
    x = Input((4, 8, 8))()
    with pytest.raises(ShapeError, match=f"not {count}"):
        op(*[x] * count)
