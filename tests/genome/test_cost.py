"""Counts equal those of the network written out, of a plain simulation, and of torch."""

import random
from contextlib import suppress
from dataclasses import dataclass
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_network
from torch.utils.flop_counter import FlopCounterMode
from torch_counts import meta_module

from nas.errors import EditError, GenomeError
from nas.genome import Cost, Graph, Input, Primitive, Task, Value, cost, from_json, lower, to_json
from nas.genome.activations import Relu
from nas.genome.edit import crossover, mutate
from nas.genome.layers import Add, Concat, Conv, Linear, MaxPool
from nas.genome.norms import BatchNorm
from nas.genome.primitives import BasicBlock, ConvStack, ConvUnit, DenseBlock, GapHead, Stem
from nas.model import module
from nas.model.source import source
from nas.resources import names
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space

seeds = st.integers(0, 2**32)
TASKS = (Task("digits", (1, 8, 8), 10), Task("small", (3, 16, 16), 7), Task("cifar", (3, 32, 32), 10))


@dataclass(frozen=True)
class Mix(Primitive, abstract=True):
    """A block of three inputs, for want of a published one: each is last read at another time."""

    arity = 3

    def expand(self, *inputs: Value) -> Value:
        x, y, z = inputs
        early = Relu()(x)
        wide = Concat()(early, Conv(8, 3)(y), Conv(4, 1)(y))
        return Concat()(Conv(4, 1)(wide), Relu()(Conv(2, 3)(z)), early)


def simulated_peak(graph: Graph) -> int:
    """Elements alive at once, asked anew at every layer: what is there and still read later, and what is made."""
    nodes = lower(graph).nodes
    outputs = lower(graph).outputs
    most = prod(nodes[0].shape)
    for now in range(1, len(nodes)):
        needed = {i for node in nodes[now:] for i in node.inputs if i < now} | {i for i in outputs if i < now}
        most = max(most, prod(nodes[now].shape) + sum(prod(nodes[i].shape) for i in needed))
    return most


@given(seeds, st.integers(1, 12))
@settings(max_examples=150)
def test_a_network_costs_what_its_layers_cost(seed: int, nodes: int) -> None:
    graph = random_network(seed, nodes)
    counts = cost(graph)
    assert counts == cost(lower(graph))
    assert counts.peak_bytes == 4 * simulated_peak(graph)


@given(st.lists(st.integers(0, 2), min_size=3, max_size=3), st.booleans(), st.booleans())
def test_a_block_of_several_inputs_costs_what_its_layers_cost(picks: list[int], kept: bool, chained: bool) -> None:
    x = Stem(6)(TASKS[0].image())
    values = [x, BasicBlock(6)(x), ConvUnit(9)(x)]
    mixed = Mix()(*(values[i] for i in picks))
    if chained:
        mixed = Mix()(mixed, ConvUnit(3)(mixed), mixed)
    graph = Graph.of(GapHead(3)(Concat()(mixed, *values) if kept else mixed))
    assert cost(graph) == cost(lower(graph))
    assert cost(graph).peak_bytes == 4 * simulated_peak(graph)


def test_counts_by_hand() -> None:
    x = Relu()(BatchNorm()(Conv(4, 3)(Input((3, 8, 8))())))
    graph = Graph.of(GapHead(5)(MaxPool(2, 2)(x + x)))
    params, macs = 4 * 3 * 9 + 8 + 4 * 5 + 5, 8 * 8 * 4 * 3 * 9 + 20
    # The sum reads the ReLU's 256 elements twice and makes 256.
    assert cost(graph) == Cost(params, macs, activations=256 + 5, peak_bytes=4 * 512, depth=2)
    assert cost(graph).as_dict() == {
        "params": 141, "macs": 6_932, "flops": 13_864, "activations": 261, "peak_bytes": 2_048, "depth": 2,
    }  # fmt: skip


def test_auxiliary_heads_are_counted_apart() -> None:
    x = Stem(8)(TASKS[0].image())
    main, extra = GapHead(10)(ConvUnit(8)(x)), GapHead(10)(ConvUnit(40)(x))
    graph = Graph.of(main, extra)
    assert cost(graph) == cost(Graph.of(main))
    assert cost(graph, auxiliary=True).params == cost(graph).params + 8 * 40 * 9 + 2 * 40 + 410


def test_too_many_layers_are_refused_before_they_are_written_out() -> None:
    x = Stem(1)(TASKS[0].image())
    for _ in range(10):
        x = ConvStack(1, 256)(x)
    with pytest.raises(GenomeError, match="more than 5,000 layers"):
        cost(Graph.of(GapHead(2)(x)))


def random_genome(seed: int) -> Graph:
    """A network of any space and task: as drawn, after one to four random edits, or the child of two."""
    rng = random.Random(seed)
    task = rng.choice(TASKS)
    spaces = names("search_spaces", ".py")
    graph = _drawn(rng, rng.choice(spaces), task)
    if rng.random() < 0.3:
        with suppress(EditError):  # two networks that do not fit together
            graph = crossover(graph, _drawn(rng, rng.choice(spaces), task), rng)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        graph = mutate(graph, rng)
    return graph


def _drawn(rng: random.Random, space: str, task: Task) -> Graph:
    while True:
        with suppress(GenomeError):  # a draw that makes no network
            return sample_network(load_space(space), task, rng.randrange(10**9))


def counted_by_torch(graph: Graph) -> tuple[int, int]:
    network = meta_module(graph)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, *graph.input, device="meta"))
    return sum(weight.numel() for weight in network.parameters()), counter.get_total_flops()


def exact(seed: int) -> Graph:
    """A random genome whose counts equal torch's, and which survives JSON with the same source."""
    graph = random_genome(seed)
    counts = cost(graph)
    assert counted_by_torch(graph) == (counts.params, counts.flops), seed
    again = from_json(to_json(graph))
    assert again == graph
    assert source(again) == source(graph)
    assert counts == cost(lower(graph))
    return graph


@pytest.mark.parametrize("seed", range(20))
def test_random_genomes_cost_what_torch_counts_and_train(seed: int) -> None:
    graph = exact(seed)
    if cost(graph).macs > 3 * 10**7:
        return
    network = module(graph)
    images = torch.randn(2, *graph.input)
    scores = network(images)
    assert scores.shape == (2, graph.nodes[graph.outputs[0]].shape[0])
    scores.square().sum().backward()
    assert all(torch.isfinite(w.grad).all() for w in network.parameters() if w.grad is not None)
    assert any(w.grad is not None and w.grad.any() for w in network.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("part", range(50))
def test_two_thousand_random_genomes_cost_what_torch_counts(part: int) -> None:
    for seed in range(1_000 + 40 * part, 1_040 + 40 * part):
        exact(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_five_hundred_networks_of_depthwise_and_grouped_spaces_cost_what_torch_counts(part: int) -> None:
    spaces = [name for name in names("search_spaces", ".py") if name in ("mobile", "regnet", "shuffle")]
    assert len(spaces) > 1
    for seed in range(50 * part, 50 * part + 50):
        graph = _drawn(random.Random(seed), spaces[seed % len(spaces)], TASKS[2])
        assert counted_by_torch(graph) == (cost(graph).params, cost(graph).flops), seed


def test_reading_a_sum_of_unequal_shapes_names_both() -> None:
    x = Input((3, 8, 8))()
    with pytest.raises(GenomeError, match=r"Add\(\) on \(3, 8, 8\), \(4, 8, 8\): the shapes must be equal"):
        Add()(x, Conv(4, 1)(x))
    with pytest.raises(GenomeError, match="flatten or pool"):
        Linear(3)(DenseBlock(2, 1)(x))
