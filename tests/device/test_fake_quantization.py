"""Rounding in real numbers: the operations in torch, the outputs of the integers, the gradients of the network."""

import numpy as np
import pytest
import torch
from device.trained import convertible_network, images_for, trained
from torch.nn import functional as F

from nas.device.conversion import integer_graph
from nas.device.fake_quantization import FakeQuantized
from nas.device.float_constants import float_constants
from nas.device.float_run import run_float
from nas.device.int8_module import Int8Module
from nas.device.layer_arrays import layer_arrays
from nas.device.quantize import quantize
from nas.device.reference import KERNELS
from nas.device.torch_ops import OPERATIONS, OpInputs, run_op
from nas.genome import Graph, Task
from nas.genome.primitives import (
    BasicBlock,
    BatchNorm,
    Concat,
    Conv,
    Flatten,
    GapHead,
    Linear,
    MaxPool,
    Relu,
    Sigmoid,
    Stem,
)

SMALL = Task("small", (3, 12, 12), 5)
STEM = Stem(4)(SMALL.image())
GATED = Graph.of(GapHead(5)(Concat()(Sigmoid()(STEM), STEM)))
POOLED = Graph.of(GapHead(5)(MaxPool(3, 2, 1)(STEM)))
GRAPHS = [GATED, POOLED, *map(convertible_network, range(2_000, 2_012))]


def fake_quantized(graph: Graph) -> FakeQuantized:
    integers = integer_graph(graph)
    return FakeQuantized(integers, float_constants(integers, layer_arrays(graph, trained(graph))), images_for(graph))


@pytest.mark.parametrize("graph", GRAPHS, ids=range(len(GRAPHS)))
def test_operations_are_those_on_arrays(graph: Graph) -> None:
    integers = integer_graph(graph)
    constants = float_constants(integers, layer_arrays(graph, trained(graph)))
    values = dict(run_float(integers, constants, images_for(graph)))
    for op in integers.ops:
        read = [torch.from_numpy({**values, **constants}[i]) for i in op.inputs if i in values or i in constants]
        whole = [content for i in op.inputs if isinstance(content := integers.tensors[i].content, tuple)]
        found = run_op(OpInputs(op, read, whole, integers.tensors[op.output].shape)).numpy()
        wanted, inside = values[op.output], np.isfinite(values[op.output])
        np.testing.assert_allclose(found[inside], wanted[inside], atol=1e-9, rtol=1e-9)
        assert np.all(found[~inside] <= wanted[inside].min()), "padding with the lowest number"


def test_these_networks_have_every_operation() -> None:
    assert {op.code for graph in GRAPHS for op in integer_graph(graph).ops} == set(OPERATIONS) == set(KERNELS)


@pytest.mark.parametrize("graph", GRAPHS, ids=range(len(GRAPHS)))
def test_outputs_are_those_of_the_integers(graph: Graph) -> None:
    network = fake_quantized(graph)
    integers, images = network.quantized(), torch.tensor(images_for(graph, 1), dtype=torch.float32)
    with torch.no_grad():
        difference = (network(images) - Int8Module(integers)(images)).abs()
    steps = difference / float(integers.scales(integers.graph.output)[0])
    assert steps.max() < 2.5
    assert (steps > 0.5).float().mean() < 0.5


def test_integers_are_those_of_the_network() -> None:
    graph = Graph.of(GapHead(5)(BasicBlock(8, 2)(STEM)))
    wanted = quantize(integer_graph(graph), layer_arrays(graph, trained(graph)), images_for(graph))
    found = fake_quantized(graph).quantized()
    assert all(np.allclose(found.scales(i), wanted.scales(i), rtol=1e-5) for i in wanted.scale)
    assert all(np.abs(found.data(i).astype(int) - wanted.data(i)).max() <= 1 for i in wanted.constants)


def test_gradients_are_near_those_of_the_network() -> None:
    graph = Graph.of(Linear(5)(Flatten()(Conv(6, 3)(Relu()(Conv(8, 1, 2)(Conv(4, 3)(SMALL.image())))))))
    torch.manual_seed(0)
    images, labels = torch.randn(64, *SMALL.input), torch.randint(5, (64,))
    network, rounded = trained(graph), fake_quantized(graph)
    for each in (network, rounded):
        F.cross_entropy(each(images), labels).backward()  # type: ignore[no-untyped-call]
    kernels = [weight.grad for weight in network.parameters() if weight.ndim == 4]
    found = [weight.grad for weight in rounded.parameters() if weight.ndim == 4]
    for wanted, gradient in zip(kernels, found, strict=True):
        assert wanted is not None
        assert gradient is not None
        assert F.cosine_similarity(wanted.permute(0, 2, 3, 1).flatten(), gradient.flatten(), 0) > 0.98


def test_only_kernels_have_several_axes() -> None:
    network = fake_quantized(Graph.of(GapHead(5)(BatchNorm()(Concat()(STEM, Conv(4, 3)(STEM))))))
    contents = [tensor.content for tensor in network.graph.tensors if isinstance(tensor.content, str)]
    kernels = sum(weight.ndim > 1 for weight in network.parameters())
    assert (kernels, len(list(network.parameters()))) == (contents.count("weights"), len(contents))
