"""ShuffleUnit in both forms: what passes unchanged, what is convolved, and in which order the channels come out."""

import pytest
import torch
from torch.nn import functional as F

from nas.genome import Graph, Input, Shape, Value, cost
from nas.genome.edit import scale
from nas.genome.primitives import GapHead, ShuffleUnit, Stem
from nas.model import module, source


def alone(op: ShuffleUnit, shape: Shape) -> Graph:
    return Graph.of(op(Input(shape)()))


def images(*shape: int) -> torch.Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("squeeze", [0.0, 0.25])
def test_the_first_half_passes_between_the_channels_of_the_second(squeeze: float) -> None:
    x = images(12, 6, 6)
    y = module(alone(ShuffleUnit(6, squeeze=squeeze), (12, 6, 6))).eval()(x)
    assert torch.equal(y[:, ::2], x[:, :6])
    assert not torch.equal(y[:, 1::2], x[:, 6:])


def test_the_reduction_by_hand() -> None:
    """Ma et al. 2018, fig. 3d: a depthwise and a 1x1; a 1x1, a depthwise and a 1x1; concatenated and shuffled."""
    network, x = module(alone(ShuffleUnit(6, 2, 5), (4, 8, 8))).eval(), images(4, 8, 8)
    depthwise, point, first, middle, last = [p for p in network.parameters() if p.dim() == 4]
    norm = 1 / (1 + 1e-5) ** 0.5
    left = F.relu(F.conv2d(norm * F.conv2d(x, depthwise, stride=2, padding=2, groups=4), point) * norm)
    right = F.relu(F.conv2d(x, first) * norm)
    right = F.relu(F.conv2d(norm * F.conv2d(right, middle, stride=2, padding=2, groups=6), last) * norm)
    torch.testing.assert_close(network(x), torch.stack([left, right], 2).flatten(1, 2))


@pytest.mark.parametrize(
    ("op", "shape", "after", "params"),
    [
        (ShuffleUnit(58), (116, 28, 28), (116, 28, 28), 2 * 58**2 + 9 * 58 + 6 * 58),
        (ShuffleUnit(58, 2), (24, 56, 56), (116, 28, 28), 3 * 24 * 58 - 24 * 58 + 58**2 + 9 * (24 + 58) + 2 * 256),
        (ShuffleUnit(58), (24, 28, 28), (116, 28, 28), 2 * 24 * 58 + 58**2 + 9 * (24 + 58) + 2 * 256),
        (ShuffleUnit(8, squeeze=0.25), (16, 4, 4), (16, 4, 4), 2 * 64 + 72 + 48 + 2 * 16 + 2 + 8),
    ],
    ids=str,
)
def test_parameters_by_hand(op: ShuffleUnit, shape: Shape, after: Shape, params: int) -> None:
    graph = alone(op, shape)
    assert (graph.nodes[-1].shape, cost(graph).params) == (after, params)


def small(width: int) -> Graph:
    x: Value = Stem(24)(Input((3, 16, 16))())
    for stride in (2, 1, 1):
        x = ShuffleUnit(width, stride)(x)
    return Graph.of(GapHead(10)(x))


def test_scaled_units_still_split() -> None:
    scaled = scale(small(58), 0.37)
    ops = [node.op for node in scaled.nodes if isinstance(node.op, ShuffleUnit)]
    assert [op.class_name(node.placed.inputs[0]) for op, node in zip(ops, scaled.nodes[2:], strict=False)] == [
        "ShuffleUnitReduction", "ShuffleUnit", "ShuffleUnit",
    ]  # fmt: skip
    assert ops[0].width == 22


def test_equal_units_in_a_row_are_one_class() -> None:
    text = source(small(8))
    assert text.count("class ShuffleUnit(nn.Module)") == text.count("class ShuffleUnitReduction(nn.Module)") == 1
