"""The arms of the claims on mobile networks differ in what the claim names, and in nothing else."""

from collections import Counter

import pytest

from nas.genome.cost import cost
from nas.genome.graph import Graph, lower
from nas.genome.layers import AdaptivePool, Conv, Mul
from nas.genome.task import Task
from nas.principles.claims import principles
from nas.principles.claims.setting import Setting

SETTING = Setting(Task("cifar10", (3, 32, 32), 10))


def arms(key: str) -> dict[str, Graph]:
    return {name: lower(graph) for name, graph in principles()[key].graphs(SETTING).items()}


def layers(graph: Graph) -> list[str]:
    return [str(node.op) for node in graph.nodes]


def depthwise(graph: Graph) -> list[Conv]:
    return [node.op for node in graph.nodes if isinstance(node.op, Conv) and node.op.groups > 1]


def test_only_the_nonlinearity_differs() -> None:
    silu, relu = arms("h36").values()
    assert layers(silu) == [layer.replace("Relu()", "Silu()") for layer in layers(relu)]
    assert layers(silu).count("Silu()") == 1 + 2 * 6 + 1


def test_only_the_gates_differ() -> None:
    gated, none = arms("h32").values()
    added = Counter(layers(gated)) - Counter(layers(none))
    assert not Counter(layers(none)) - Counter(layers(gated))
    assert [sum(isinstance(node.op, kind) for node in gated.nodes) for kind in (Mul, AdaptivePool)] == [6, 6]
    assert sum(count for layer, count in added.items() if layer.startswith("Conv(")) == 2 * 6
    inputs = (16, 16, 16, 32, 32, 64)  # channels into each block, four times as many inside
    assert cost(gated).params - cost(none).params == sum(2 * 4 * n * n // 4 + n // 4 + 4 * n for n in inputs)


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_only_kernels_and_widths_differ(kernel: int) -> None:
    convolutions = depthwise(arms("h34")[f"{kernel}x{kernel}"])
    assert [layer.kernel for layer in convolutions] == [kernel] * 6
    assert [layer.stride for layer in convolutions] == [1, 1, 2, 1, 2, 1]


def test_blocks_are_four_times_as_wide_inside_or_outside() -> None:
    inside, outside = arms("h35").values()
    for graph, ratio in ((inside, 4), (outside, 1 / 4)):
        for node in graph.nodes:
            if isinstance(node.op, Conv) and node.op.groups > 1:
                (norm,) = node.inputs
                first = graph.nodes[graph.nodes[graph.nodes[norm].inputs[0]].inputs[0]]
                channels = graph.nodes[first.inputs[0]].shape[0]
                assert node.shape[0] == round(ratio * channels)


def test_all_but_the_first_of_the_separable_convolutions_are_depthwise() -> None:
    separable, full = arms("h31").values()
    assert len(depthwise(separable)) == 5
    assert not depthwise(full)
    assert all(layer.groups == layer.width and layer.kernel == 3 for layer in depthwise(separable))
