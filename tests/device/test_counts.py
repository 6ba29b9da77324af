"""The plan of memory, the length of the file, and what is counted without either."""

import pytest
from device.trained import convertible_network, quantized

from nas.device.conversion import integer_graph
from nas.device.file_layout import file_size
from nas.device.footprint import footprint
from nas.device.memory_plan import plan_memory
from nas.genome import Graph, Task, lower
from nas.genome.channel_layers import same_padding
from nas.genome.graph import Node
from nas.genome.primitives import Add, BasicBlock, BatchNorm, Conv, ConvUnit, GapHead, Relu, Stem

CIFAR = Task("cifar10", (3, 32, 32), 10)


def resnet8(same: bool) -> Graph:
    """The residual network of MLPerf Tiny (Banbury et al. 2021), with TensorFlow's padding at stride 2 or torch's."""
    x = Stem(16)(CIFAR.image())
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        zeros = same_padding(x.shape, 3, stride) if same and stride > 1 else None
        y = Relu()(BatchNorm()(Conv(width, 3, stride, 0 if zeros else None)(zeros(x) if zeros else x)))
        y = BatchNorm()(Conv(width, 3)(y))
        x = Relu()(Add()(y, x if stride == 1 else BatchNorm()(Conv(width, 1, stride)(x))))
    return Graph.of(GapHead(10)(x))


def test_the_network_of_mlperf_tiny() -> None:
    # Three images of 16,384 bytes are alive at once; a PAD operation makes one of 33 x 33 beside them.
    assert footprint(resnet8(same=True)).activation_ram == 49_152
    assert footprint(resnet8(same=False)).activation_ram == 50_192


@pytest.mark.parametrize("seed", range(30))
def test_buffers_that_live_together_lie_apart(seed: int) -> None:
    graph = integer_graph(convertible_network(seed))
    plan = plan_memory(graph)
    for i, one in enumerate(plan):
        assert one.offset % 16 == one.size % 16 == 0
        for other in plan[:i]:
            if one.first <= other.last and other.first <= one.last:
                assert one.end <= other.offset or other.end <= one.offset
    alive = [sum(b.size for b in plan if b.first <= step <= b.last) for step in range(-1, len(graph.ops))]
    assert max(alive) <= max(buffer.end for buffer in plan) <= sum(buffer.size for buffer in plan)
    assert {b.tensor for b in plan} - {None} == {i for i, t in enumerate(graph.tensors) if t.content is None}


def test_a_plan_by_hand() -> None:
    # 3 x 8 x 8 = 192 bytes, then 512 and 512; the image goes where the last tensor will be.
    x = ConvUnit(8)(Task("small", (3, 8, 8), 10).image())
    plan = plan_memory(integer_graph(Graph.of(ConvUnit(8)(x))))
    assert [(b.offset, b.size, b.tensor) for b in plan] == [(0, 512, 6), (512, 512, 3), (0, 192, 0)]


@pytest.mark.parametrize("seed", range(30))
def test_the_file_is_as_long_as_counted(seed: int) -> None:
    graph = convertible_network(seed)
    assert len(quantized(graph, seed).to_tflite()) == file_size(integer_graph(graph)) == footprint(graph).flash


def test_names_and_forms_cost_nothing() -> None:
    graph = Graph.of(GapHead(10)(BasicBlock(8)(Stem(8)(CIFAR.image()))))
    renamed = Graph(tuple([Node(f"a_long_name_{i}", *node[1:]) for i, node in enumerate(graph.nodes)]), graph.outputs)
    assert footprint(graph) == footprint(lower(graph)) == footprint(renamed)


def test_a_count_is_kept() -> None:
    from nas.device.footprint import flash

    graph = Graph.of(GapHead(10)(Stem(6)(CIFAR.image())))
    footprint(graph)
    before = flash.cache_info()
    footprint(graph)
    assert flash.cache_info().hits == before.hits + 1
