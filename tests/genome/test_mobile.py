"""The blocks of mobile networks compute what their papers say."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.errors import ShapeError
from nas.genome import Graph, Input, Primitive, Shape, Task, cost
from nas.genome.baselines import baseline
from nas.genome.baselines.mobile import rounded
from nas.genome.edit import scale
from nas.genome.primitives import (
    DepthwiseSeparable,
    EfficientChannelAttention,
    FusedMBConv,
    GhostBottleneck,
    GhostModule,
    InvertedResidual,
)
from nas.genome.primitives.gates import ChannelGate
from nas.genome.primitives.units import DepthwiseKernel
from nas.model import module, source

SHAPE = (8, 9, 9)


def alone(op: Primitive, shape: Shape = SHAPE) -> Graph:
    return Graph.of(op(Input(shape)()))


def built(op: Primitive, shape: Shape = SHAPE) -> nn.Module:
    """The block in evaluation, with norms that are not the identity."""
    torch.manual_seed(0)
    network = module(alone(op, shape)).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                assert isinstance(values, Tensor)
                nn.init.uniform_(values, 0.5, 1.5)
    return network


def images(*shape: int) -> Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))


def layers(network: nn.Module) -> Iterator[nn.Module]:
    """Convolutions and norms in the order in which they are made."""
    return (layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d))


def apply(x: Tensor, made: Iterator[nn.Module], count: int = 2) -> Tensor:
    """The image after the next layers; a convolution and a norm."""
    for _ in range(count):
        x = next(made)(x)
    return x


def test_depthwise_separable() -> None:
    network, x = built(DepthwiseSeparable(12, 5, 2)), images(*SHAPE)
    made = layers(network)
    torch.testing.assert_close(network(x), F.relu(apply(F.relu(apply(x, made)), made)))
    shapes = [tuple(p.shape) for p in network.parameters() if p.dim() == 4]
    assert shapes == [(8, 1, 5, 5), (12, 8, 1, 1)]


@pytest.mark.parametrize(("width", "stride", "adds"), [(8, 1, True), (8, 2, False), (12, 1, False)])
def test_inverted_residual(width: int, stride: int, adds: bool) -> None:
    network, x = built(InvertedResidual(width, 3, 5, stride)), images(*SHAPE)
    made = layers(network)
    y = F.relu6(apply(F.relu6(apply(x, made)), made))
    y = apply(y, made)
    torch.testing.assert_close(network(x), x + y if adds else y)
    assert [tuple(p.shape) for p in network.parameters() if p.dim() == 4] == [
        (24, 8, 1, 1),
        (24, 1, 5, 5),
        (width, 24, 1, 1),
    ]


@pytest.mark.parametrize(
    ("gate", "inside", "outside"), [("se", F.silu, torch.sigmoid), ("hard se", F.relu, F.hardsigmoid)]
)
def test_a_gate_stands_after_the_depthwise_convolution(gate: ChannelGate, inside: object, outside: object) -> None:
    """EfficientNet's gate has the activation of its block; that of MobileNetV3 always ReLU."""
    network, x = built(InvertedResidual(8, 2, gate=gate, activation="silu")), images(*SHAPE)
    made = layers(network)
    y = F.silu(apply(F.silu(apply(x, made)), made))
    squeezed = inside(apply(y.mean((2, 3), keepdim=True), made, 1))  # type: ignore[operator]
    y = y * outside(apply(squeezed, made, 1))  # type: ignore[operator]
    torch.testing.assert_close(network(x), x + apply(y, made))
    assert [p.shape[0] for p in network.parameters() if p.dim() == 4] == [16, 16, 4, 16, 8]


def test_without_expansion_there_is_no_first_convolution() -> None:
    network, x = built(InvertedResidual(8, 1)), images(*SHAPE)
    made = layers(network)
    torch.testing.assert_close(network(x), x + apply(F.relu6(apply(x, made)), made))
    fused = built(FusedMBConv(8, 1))
    torch.testing.assert_close(fused(x), x + F.silu(apply(x, layers(fused))))


def test_fused() -> None:
    network, x = built(FusedMBConv(12, 2, stride=2)), images(*SHAPE)
    made = layers(network)
    torch.testing.assert_close(network(x), apply(F.silu(apply(x, made)), made))
    assert [tuple(p.shape) for p in network.parameters() if p.dim() == 4] == [(16, 8, 3, 3), (12, 16, 1, 1)]


@pytest.mark.parametrize(("channels", "kernel"), [(1, 1), (8, 3), (64, 3), (128, 5), (256, 5), (512, 5), (2048, 7)])
def test_channel_attention(channels: int, kernel: int) -> None:
    """One convolution over the means of the channels, as long as Wang et al. 2020, section 3.2.3, take it."""
    network, x = built(EfficientChannelAttention(), (channels, 3, 3)), images(channels, 3, 3)
    (weights,) = network.parameters()
    assert weights.numel() == kernel
    means = x.mean((2, 3))[:, None]
    gate = torch.sigmoid(F.conv1d(means, weights.reshape(1, 1, kernel), padding=kernel // 2))
    torch.testing.assert_close(network(x), x * gate[:, 0, :, None, None])


def test_a_ghost_module_of_every_width_and_ratio() -> None:
    for width in (1, 5, 6):
        for ratio in (2, 3, 4):
            network, x = built(GhostModule(width, ratio=ratio)), images(*SHAPE)
            made = layers(network)
            first = F.relu(apply(x, made))
            expected = torch.cat([first, F.relu(apply(first, made))], 1)[:, :width]
            torch.testing.assert_close(network(x), expected)


def test_a_ghost_bottleneck_is_linear_at_its_end_and_projects_what_changes() -> None:
    """Of 8 channels 16 are made, halved in size, and 12 made of them; the shortcut is depthwise, then 1x1."""
    network, x = built(GhostBottleneck(12, 2, stride=2)), images(*SHAPE)
    made = layers(network)
    first = F.relu(apply(x, made))
    y = apply(torch.cat([first, F.relu(apply(first, made))], 1), made)
    first = apply(y, made)
    y = torch.cat([first, apply(first, made)], 1)
    torch.testing.assert_close(network(x), y + apply(x, made, 4))


@pytest.mark.parametrize("side", [7, 8, 15])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_padding_as_tensorflow_pads(side: int, stride: int, kernel: DepthwiseKernel) -> None:
    """`ceil(side / stride)` pixels remain, and of an odd number of zeros one more is at the end."""
    network = built(InvertedResidual(4, 1, kernel, stride, padding="same"), (4, side, side))
    x = images(4, side, side)
    depthwise = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d))
    made = layers(network)
    next(made)
    zeros = max(0, (-(-side // stride) - 1) * stride + kernel - side)
    around = F.pad(x, (zeros // 2, zeros - zeros // 2) * 2)
    y = F.conv2d(around, depthwise.weight, stride=stride, groups=4)
    y = apply(F.relu6(apply(y, made, 1)), made)
    torch.testing.assert_close(network(x), x + y if stride == 1 else y)
    assert y.shape[2] == -(-side // stride)


@pytest.mark.parametrize("op", [InvertedResidual(8, padding="same"), GhostBottleneck(8), EfficientChannelAttention()])
def test_features_are_refused(op: Primitive) -> None:
    with pytest.raises(ShapeError, match="needs an image"):
        alone(op, (8,))


def test_source_names_the_forms_of_a_block() -> None:
    x = Task("small", (3, 8, 8), 10).image()
    for op in (
        InvertedResidual(8, 1),
        InvertedResidual(8, 1),
        InvertedResidual(8, 2, stride=2),
        InvertedResidual(8, 4, gate="eca"),
        InvertedResidual(8, 4),
    ):
        x = op(x)
    text = source(Graph.of(x))
    for name in ("DepthwiseBottleneck", "DepthwiseResidual", "InvertedBottleneck", "GatedInvertedResidual"):
        assert f"class {name}(nn.Module)" in text
    assert "groups=32" in text


def test_arguments_in_source_are_named_and_typed_by_what_they_are() -> None:
    assert "padding: tuple[int, int, int, int]" in source(baseline("efficientnet_lite0"))
    assert "SqueezeExcite(middle_channels, squeezed)" in source(baseline("mobilenet_v3_small"))


@pytest.mark.parametrize(
    ("channels", "step", "width"), [(12, 8, 16), (20, 8, 24), (18, 8, 24), (60, 8, 64), (18, 4, 20), (1, 8, 8)]
)
def test_widths_are_rounded_as_in_the_released_code(channels: float, step: int, width: int) -> None:
    assert rounded(channels, step) == width


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_small", "ghostnet"])
def test_a_narrower_network_of_a_paper_has_its_blocks(name: str) -> None:
    """Expansions and shares of gates hold at any width."""
    graph = baseline(name)
    narrow = scale(graph, 0.5)
    assert [type(node.op) for node in narrow.nodes] == [type(node.op) for node in graph.nodes]
    assert cost(narrow).macs < 0.4 * cost(graph).macs
