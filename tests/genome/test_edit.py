"""Every edit does what its name says, leaves a network for the same task, or refuses."""

import random
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_network
from strategies import networks

from nas.errors import EditError
from nas.genome import Graph, Input, Task, Value, cost, fingerprint, from_json, lower, to_json
from nas.genome.activations import Relu
from nas.genome.edit import (
    MUTATIONS,
    add_branch,
    add_skip,
    change,
    cross,
    crossover,
    deepen,
    drop,
    insert,
    mutate,
    remove,
    replace,
    scale,
    swap_head,
    widen,
)
from nas.genome.layers import Add, AvgPool, Concat, Conv, GlobalPool, Linear, MaxPool
from nas.genome.norms import BatchNorm
from nas.genome.primitives import BasicBlock, ConvUnit, DenseBlock, FcHead, GapHead, Stem
from nas.model import module

TASK = Task("t", (3, 16, 16), 10)
seeds = st.integers(0, 2**32)


def network(*ops: Callable[[Value], Value], task: Task = TASK) -> Graph:
    """A chain with names: the stem, op1, op2, ..., the head."""
    x = Stem(8)(task.image(), name="stem")
    for number, op in enumerate(ops, 1):
        x = op(x, name=f"op{number}")  # type: ignore[call-arg]
    return Graph.of(GapHead(task.classes)(x, name="head"))


def chain(*ops: Callable[[Value], Value]) -> str:
    return fingerprint(network(*ops))


def sound(graph: Graph, like: Graph) -> None:
    assert [graph.nodes[i].shape for i in graph.outputs] == [like.nodes[i].shape for i in like.outputs]
    assert graph.input == like.input
    assert from_json(to_json(graph)) == graph
    assert cost(graph) == cost(lower(graph))


def test_insert_puts_an_op_before_all_readers() -> None:
    assert fingerprint(insert(network(Relu()), "stem", BatchNorm())) == chain(BatchNorm(), Relu())
    first = insert(network(), "input", Conv(4, 3))
    assert [node.name for node in first.nodes] == ["input", "conv_1", "stem", "head"]


def test_remove_takes_back_an_insertion() -> None:
    graph = network(BasicBlock(8), DenseBlock(4, 2))
    assert remove(insert(graph, "op1", ConvUnit(12)), "conv_unit_1") == graph
    assert fingerprint(remove(graph, "op1")) == chain(DenseBlock(4, 2))


def test_remove_mends_a_sum_whose_sides_differ() -> None:
    x = Stem(8)(TASK.image())
    wide = Relu()(Conv(12, 3, 2)(x, name="wide") + Conv(12, 1, 2)(x))
    ops = [node.op for node in remove(Graph.of(GapHead(10)(wide)), "wide").nodes]
    assert AvgPool(2, 2) in ops  # the stem's 8 channels on the smaller grid
    assert Conv(8, 1) in ops  # and the other side on 8 channels


def test_replace_and_change() -> None:
    graph = network(ConvUnit(8), DenseBlock(4, 2))
    assert fingerprint(replace(graph, "op1", BasicBlock(8))) == chain(BasicBlock(8), DenseBlock(4, 2))
    assert fingerprint(change(graph, "op1", kernel=5)) == chain(ConvUnit(8, 5), DenseBlock(4, 2))
    assert fingerprint(change(graph, "op2", growth=6)) == chain(ConvUnit(8), DenseBlock(6, 2))


def test_widen_and_deepen() -> None:
    graph = network(ConvUnit(8), BasicBlock(16, 2), DenseBlock(4, 2))
    assert fingerprint(widen(graph, "op1", 2)) == chain(ConvUnit(16), BasicBlock(16, 2), DenseBlock(4, 2))
    assert fingerprint(deepen(graph, "op3", 3)) == chain(ConvUnit(8), BasicBlock(16, 2), DenseBlock(4, 5))
    twice = deepen(graph, "op2", 2)
    assert fingerprint(twice) == chain(ConvUnit(8), BasicBlock(16, 2), *[BasicBlock(16)] * 2, DenseBlock(4, 2))


def test_a_skip_is_projected_where_shapes_differ_and_can_be_dropped() -> None:
    graph = network(ConvUnit(8), ConvUnit(16, 3, 2))
    plain = add_skip(graph, "stem", "op1")
    assert cost(plain).params == cost(graph).params
    projected = add_skip(graph, "stem", "op2")
    assert cost(projected).params == cost(graph).params + 8 * 16 + 2 * 16
    assert drop(plain, "add_1", 1) == graph
    assert drop(projected, "add_1", 1) == graph


def test_a_branch_stands_beside_a_node() -> None:
    graph = network(ConvUnit(8))
    summed = add_branch(graph, "op1", ConvUnit(8, 5))
    beside = add_branch(graph, "op1", ConvUnit(24, 1), Concat())
    assert next(node.shape for node in summed.nodes if node.op == Add()) == (8, 16, 16)
    assert next(node.shape for node in beside.nodes if node.op == Concat()) == (32, 16, 16)
    assert fingerprint(drop(beside, "concat_1", 0)) == chain(ConvUnit(24, 1))


def test_a_branch_on_a_smaller_grid_is_met_by_averaging() -> None:
    beside = add_branch(network(ConvUnit(8)), "op1", MaxPool(2, 2), Concat())
    assert next(node.shape for node in beside.nodes if node.op == Concat()) == (16, 8, 8)


def test_the_head_is_swapped() -> None:
    graph = swap_head(network(ConvUnit(8)), FcHead(10, (32,)))
    assert cost(graph).params == cost(network(ConvUnit(8))).params - 90 + (8 * 256 * 32 + 32) + 330


def test_scale_keeps_what_widths_are_multiples_of() -> None:
    graph = swap_head(network(ConvUnit(48), BasicBlock(12, 2), Conv(30, 3, groups=2)), FcHead(10, (20,)))
    scaled = scale(graph, 1.3)
    assert [node.op.values()["width"] for node in scaled.nodes if "width" in node.op.values()] == [10, 64, 16, 40]
    assert scaled.nodes[-1].op == FcHead(10, (24,))
    assert fingerprint(scale(graph, 1.0)) == fingerprint(graph)


def test_scale_keeps_depthwise_convolutions_depthwise() -> None:
    graph = network(Conv(8, 3, groups=8), Conv(16, 1), Conv(32, 3, groups=16))
    ops = [node.op for node in scale(graph, 2).nodes]
    assert ops[2:5] == [Conv(16, 3, groups=16), Conv(32, 1), Conv(64, 3, groups=32)]


def test_scale_works_on_layers_too() -> None:
    graph = lower(network(ConvUnit(16), BasicBlock(16)))
    doubled = scale(graph, 2)
    assert cost(doubled).macs > 3.5 * cost(graph).macs
    sound(doubled, graph)


def test_cross_joins_a_beginning_and_an_end() -> None:
    first, second = network(ConvUnit(8), BasicBlock(8)), network(DenseBlock(4, 2), ConvUnit(12, 5))
    child = cross(first, second, "op1", "op1")
    assert fingerprint(child) == chain(ConvUnit(8), ConvUnit(12, 5))
    assert fingerprint(cross(first, first, "op1", "op1")) == fingerprint(first)


SMALL = network(ConvUnit(8))
HEADLESS = Graph.of(Linear(10)(GlobalPool()(TASK.image())))
REFUSED: list[tuple[Callable[[], Graph], str]] = [
    (lambda: remove(SMALL, "op9"), "no node 'op9' to edit; the nodes are stem, op1, head"),
    (lambda: remove(SMALL, "input"), "no node 'input'"),
    (lambda: remove(SMALL, "head"), r"gives \(8, 16, 16\), not \(10,\)"),
    (lambda: insert(SMALL, "op1", GapHead(10)), "does not fit"),
    (lambda: insert(SMALL, "head", Linear(3)), r"gives \(3,\), not \(10,\)"),
    (lambda: change(SMALL, "op1", kernel=0), "from 1 to 64"),
    (lambda: change(SMALL, "op1", growth=4), r"has no `growth`; it has width, kernel"),
    (lambda: widen(SMALL, "op1", 10_000), "from 1 to 65,536"),
    (lambda: deepen(network(DenseBlock(4, 2)), "op1", 10_000), "from 1 to 256"),
    (lambda: add_skip(SMALL, "op1", "stem"), "a skip must lead forward"),
    (lambda: add_skip(SMALL, "op1", "head"), "cannot be joined"),
    (lambda: add_branch(SMALL, "op1", GlobalPool()), "cannot be joined"),
    (lambda: add_branch(SMALL, "op1", MaxPool(2, 1), Concat()), "cannot be reduced to"),
    (lambda: drop(SMALL, "op1", 0), "`port` \\(=0\\) cannot be dropped"),
    (lambda: drop(add_skip(SMALL, "stem", "op1"), "add_1", 2), "`port` \\(=2\\) cannot be dropped"),
    (lambda: swap_head(HEADLESS, GapHead(10)), "not a head that can be swapped"),
    (lambda: swap_head(SMALL, GapHead(11)), r"gives \(11,\)"),
    (lambda: cross(SMALL, SMALL, "op1", "op9"), "not a node that every path goes through"),
    (lambda: cross(SMALL, SMALL, "head", "op1"), "not a node that every path goes through"),
    (lambda: crossover(HEADLESS, SMALL, random.Random(0)), "no position where one network can continue"),
]


@pytest.mark.parametrize(("edit", "message"), REFUSED)
def test_what_leaves_no_network_is_refused(edit: Callable[[], Graph], message: str) -> None:
    with pytest.raises(EditError, match=message):
        edit()


def test_a_network_that_would_grow_without_end_is_refused() -> None:
    graph = network(*[DenseBlock(1, 256)] * 2)
    with pytest.raises(EditError, match="more than 5,000 layers"):
        insert(graph, "op2", DenseBlock(1, 256))


@given(seeds, st.sampled_from(sorted(MUTATIONS)))
@settings(max_examples=200)
def test_any_edit_of_any_network_is_sound_or_refused(seed: int, name: str) -> None:
    graph = random_network(seed % 1_000)
    text = to_json(graph)
    try:
        edited = MUTATIONS[name](graph, random.Random(seed))
    except EditError:
        return
    sound(edited, graph)
    assert to_json(graph) == text


@given(networks(), seeds)
@settings(max_examples=40)
def test_a_mutant_is_another_network_and_the_same_for_the_same_seed(graph: Graph, seed: int) -> None:
    mutant = mutate(graph, random.Random(seed))
    sound(mutant, graph)
    assert fingerprint(mutant) != fingerprint(graph)
    assert mutate(graph, random.Random(seed)) == mutant


@given(networks(), networks(), seeds)
@settings(max_examples=40)
def test_a_child_of_two_networks_is_sound(first: Graph, second: Graph, seed: int) -> None:
    child = crossover(first, second, random.Random(seed))
    sound(child, first)
    assert crossover(first, second, random.Random(seed)) == child


def test_mutants_keep_mutating() -> None:
    rng = random.Random(3)
    graph = start = network(ConvUnit(8), BasicBlock(8))
    seen = set()
    for _ in range(60):
        graph = mutate(graph, rng)
        if cost(graph).macs > 10**8:
            graph = start
        seen.add(fingerprint(graph))
    assert len(seen) > 50


@pytest.mark.parametrize("name", sorted(set(MUTATIONS) - {"drop"}))
def test_what_is_edited_trains(name: str) -> None:
    graph = MUTATIONS[name](network(ConvUnit(8), BasicBlock(12, 2), DenseBlock(4, 2)), random.Random(1))
    built = module(graph)
    built(torch.randn(2, *TASK.input)).square().sum().backward()
    assert all(weight.grad is not None for weight in built.parameters())


def test_auxiliary_heads_survive_an_edit() -> None:
    x = Stem(8)(TASK.image(), name="stem")
    graph = Graph.of(GapHead(10)(BasicBlock(8)(x, name="block")), GapHead(10)(x))
    edited = widen(graph, "block", 2)
    assert len(edited.outputs) == 2
    sound(edited, graph)


def test_a_network_of_only_a_head_has_no_mutant_but_another_head() -> None:
    graph = Graph.of(GapHead(10)(Input((4, 8, 8))()))
    assert fingerprint(mutate(graph, random.Random(0))) != fingerprint(graph)
    with pytest.raises(EditError, match="none of 200 random edits"):
        mutate(Graph.of(Linear(10)(Input((4,))())), random.Random(0))
