"""Primitives: what each costs, and that it computes what its paper says."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.errors import ShapeError
from nas.genome import Cost, Graph, Input, Shape, Value, cost, fingerprint, lower
from nas.genome.activations import Relu
from nas.genome.layers import Conv, MaxPool
from nas.genome.norms import BatchNorm
from nas.genome.op_kinds import Primitive
from nas.genome.primitives import (
    AsymmetricConv,
    AuxiliaryHead,
    BasicBlock,
    BoardHead,
    BoardTrunk,
    Bottleneck,
    ConvHead,
    ConvPool,
    ConvStack,
    ConvUnit,
    DenseBlock,
    DenseLayer,
    FactorizedConv,
    FactorizedInception,
    FcHead,
    Fire,
    GapHead,
    GridReduction,
    Inception,
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
    InceptionNaive,
    InceptionReduction,
    MlpConv,
    NormAuxiliaryHead,
    Stem,
    Transition,
)
from nas.genome.primitives.residual import Order, Shortcut
from nas.model import module

IMAGE = (3, 32, 32)
ORDERS: tuple[Order, ...] = ("post", "norm after", "relu before", "relu only", "pre")


def alone(op: Primitive, shape: Shape) -> Graph:
    return Graph.of(op(Input(shape)()))


def counts(op: Primitive, shape: Shape) -> Cost:
    return cost(alone(op, shape))


def stages(block: Callable[[int, int], Primitive], head: Primitive | None = None) -> Graph:
    """Three stages of widths 32, 64, 128 on 32 x 32 images, halved between: the small network of the pairs."""
    x = Input(IMAGE)()
    for place, width in enumerate((32, 64, 128)):
        x = block(width, place)(MaxPool(2, 2)(x) if place else x)
    return Graph.of((head or GapHead(10))(x))


def chain(x: Value, ops: Sequence[Primitive]) -> Value:
    for op in ops:
        x = op(x)
    return x


def asymmetric(kernel: int, stage: int) -> Graph:
    """The small network with the second convolution of one stage factorised."""
    x = Input(IMAGE)()
    for place, width in enumerate((32, 64, 128)):
        x = ConvUnit(width)(MaxPool(2, 2)(x) if place else x)
        x = (AsymmetricConv(width, kernel) if place == stage else ConvUnit(width))(x)
    return Graph.of(GapHead(10)(x))


def bottleneck_net(blocks: int) -> Graph:
    x = Stem(16)(Input(IMAGE)())
    for place in range(3):
        for i in range(blocks):
            x = Bottleneck(16 << place, 2 if place and not i else 1, stride_on="1x1")(x)
    return Graph.of(GapHead(10)(x))


def wide_net(blocks: int, factor: int) -> Graph:
    """Zagoruyko & Komodakis 2016: pre-activation, projections where the width changes."""
    x = Conv(16, 3)(Input(IMAGE)())
    for place in range(3):
        for i in range(blocks):
            x = BasicBlock(16 * factor << place, 2 if place and not i else 1, order="pre")(x)
    return Graph.of(GapHead(10)(Relu()(BatchNorm()(x))))


def dense_net(layers: int, bottleneck: bool, compression: float) -> Graph:
    """DenseNet of 40 layers, growth 12."""
    x = Conv(24 if bottleneck and compression < 1 else 16, 3)(Input(IMAGE)())
    for place in range(3):
        x = Transition(compression)(x) if place else x
        x = DenseBlock(12, layers, bottleneck)(x)
    return Graph.of(GapHead(10)(Relu()(BatchNorm()(x))))


SMALL = {
    "two 3x3": (lambda: stages(lambda w, _: ConvStack(w)), 288_746, 38_634_752),
    "one 5x5": (lambda: stages(lambda w, _: ConvStack(w, 1, 5)), 260_138, 28_673_280),
    "three 3x3": (lambda: stages(lambda w, _: ConvStack(w, 3)), 482_730, 66_946_304),
    "one 7x7": (lambda: stages(lambda w, _: ConvStack(w, 1, 7)), 508_202, 56_198_400),
    "two 3x3, 1x1": (lambda: stages(lambda w, _: ConvStack(w, 3, pointwise=1)), 310_698, 41_780_480),
    "5x5 factorised": (lambda: stages(lambda w, _: FactorizedConv(w)), 288_746, 38_634_752),
    "and linear": (lambda: stages(lambda w, _: FactorizedConv(w, inner="none")), 288_746, 38_634_752),
    "7x7 factorised": (lambda: stages(lambda w, _: FactorizedConv(w, 7)), 482_730, 66_946_304),
    "1x3, 3x1 on 32": (lambda: asymmetric(3, 0), 285_738, 35_489_024),
    "1x3, 3x1 on 16": (lambda: asymmetric(3, 1), 276_586, 35_489_024),
    "1x7, 7x1 on 8": (lambda: asymmetric(7, 2), 370_922, 43_877_632),
    "head FC 256": (lambda: stages(lambda w, _: ConvStack(w), FcHead(10, (256,))), 2_387_434, 40_733_184),
    "head flat": (lambda: stages(lambda w, _: ConvStack(w), FcHead(10, ())), 369_386, 38_715_392),
    "bottlenecks, 20": (lambda: bottleneck_net(2), 220_378, 30_591_488),
    "bottlenecks, 29": (lambda: bottleneck_net(3), 313_114, 43_960_832),
    "WRN-16-1": (lambda: wide_net(2, 1), 175_066, 26_657_408),
    "WRN-16-2": (lambda: wide_net(2, 2), 691_674, 101_106_944),
    "WRN-22-2": (lambda: wide_net(3, 2), 1_079_642, 157_730_048),
    "dense": (lambda: dense_net(12, False, 1.0), 1_019_722, 264_812_928),
    "dense C": (lambda: dense_net(12, False, 0.5), 578_090, 192_000_512),
    "dense BC": (lambda: dense_net(6, True, 0.5), 176_122, 72_365_352),
}


@pytest.mark.parametrize("name", SMALL)
def test_small_networks(name: str) -> None:
    draw, params, macs = SMALL[name]
    assert (cost(draw()).params, cost(draw()).macs) == (params, macs)


@pytest.mark.parametrize(
    ("op", "shape", "after", "weights", "macs"),
    [
        (InceptionNaive(128, 192, 96), (256, 28, 28), (672, 28, 28), 1_089_536, 854_196_224),
        (Inception(128, 64, 192, 64, 96, 64), (256, 28, 28), (480, 28, 28), 346_112, 271_351_808),
        (Inception(64, 96, 128, 16, 32, 32), (192, 28, 28), (256, 28, 28), 163_328, 128_049_152),  # GoogLeNet 3a
        (InceptionA(32), (192, 35, 35), (256, 35, 35), 254_976, 312_345_600),
        (InceptionB(), (288, 35, 35), (768, 17, 17), 1_152_000, 401_937_408),
        (InceptionC(128), (768, 17, 17), (768, 17, 17), 1_294_336, 374_063_104),
        (InceptionD(), (768, 17, 17), (1280, 8, 8), 1_695_744, 291_004_416),
        (InceptionE(), (1280, 8, 8), (2048, 8, 8), 5_038_080, 322_437_120),
        (GridReduction(64, "pool first"), (32, 32, 32), (64, 16, 16), 18_432, 4_718_592),
        (GridReduction(64, "conv first"), (32, 32, 32), (64, 16, 16), 18_432, 18_874_368),
        (GridReduction(64, "parallel"), (32, 32, 32), (64, 16, 16), 9_216, 2_359_296),
        (Bottleneck(64), (256, 56, 56), (256, 56, 56), 69_632, 218_365_952),
        (Bottleneck(128, groups=32, expansion=2), (256, 56, 56), (256, 56, 56), 70_144, 219_971_584),  # ResNeXt, 32x4d
        (Fire(16, 64, 64), (96, 55, 55), (128, 55, 55), 11_776, 35_622_400),  # SqueezeNet, fire2
        (MlpConv(192, (160, 96), 5), (3, 32, 32), (96, 32, 32), 60_480, 61_931_520),
        (ConvPool(96, 11, 4, padding=0, local_norm="before"), (3, 227, 227), (96, 27, 27), 34_848, 105_415_200),
        (ConvPool(256, 5, groups=2), (96, 27, 27), (256, 13, 13), 307_200, 223_948_800),
    ],
    ids=str,
)
def test_blocks(op: Primitive, shape: Shape, after: Shape, weights: int, macs: int) -> None:
    graph = alone(op, shape)
    convs = [node for node in lower(graph).nodes if isinstance(node.op, Conv)]
    assert graph.nodes[-1].shape == after
    assert cost(graph).macs == macs
    assert sum(node.op.params(*node.placed.inputs) - node.op.bias * node.shape[0] for node in convs) == weights


@pytest.mark.parametrize("bias", [False, True])
def test_a_5x5_is_replaced_at_equal_shapes(bias: bool) -> None:
    old = Inception(64, 64, 64, 64, 96, 32, norm=True)
    new = FactorizedInception(64, 64, 64, 64, 96, 32, bias=bias)
    shape = (192, 28, 28)
    assert alone(old, shape).nodes[-1].shape == alone(new, shape).nodes[-1].shape
    assert counts(new, shape).depth == counts(old, shape).depth + 1


def test_reduction_keeps_every_channel_it_reads() -> None:
    op = InceptionReduction(128, 160, 64, 96, padding=1)
    assert alone(op, (320, 28, 28)).nodes[-1].shape == (160 + 96 + 320, 14, 14)
    with pytest.raises(ShapeError, match="`width` \\(=32\\)"):
        alone(GridReduction(32), (32, 8, 8))


@pytest.mark.parametrize(("width", "params"), [(128, 1_777_641), (192, 3_882_793), (256, 6_798_953), (384, 15_064_297)])
def test_alphago_widths(width: int, params: int) -> None:
    graph = Graph.of(BoardHead()(BoardTrunk(width)(Input((48, 19, 19))())))
    assert cost(graph).params == params
    assert graph.nodes[-1].shape == (361,)


def test_auxiliary_heads() -> None:
    """GoogLeNet's on 4a and 4d, Inception-v3's before its last reduction."""
    assert counts(AuxiliaryHead(1000), (512, 14, 14)).params == 3_188_840
    assert counts(AuxiliaryHead(1000), (528, 14, 14)).params == 3_190_888
    assert counts(NormAuxiliaryHead(1000), (768, 17, 17)).params == 3_326_696


@pytest.mark.parametrize("side", [7, 13, 30])
def test_a_head_with_a_grid_fits_any_image(side: int) -> None:
    assert counts(FcHead(10, (64,), grid=6), (8, side, side)).params == 8 * 36 * 64 + 64 + 64 * 10 + 10


# --- what they compute ---


def built(op: Primitive, shape: Shape) -> nn.Module:
    torch.manual_seed(0)
    return module(alone(op, shape)).eval()


def images(*shape: int) -> Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))


def silenced(network: nn.Module) -> nn.Module:
    """The network with the branch of every block multiplied by zero."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "conv" in name or ("norm" in name and "bias" in name):
                parameter.zero_()
    return network


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_silent_branch_leaves_the_identity(order: Order, block: type[BasicBlock] | type[Bottleneck]) -> None:
    width = 8 if block is BasicBlock else 2
    x = images(8, 6, 6)
    y = silenced(built(block(width, order=order), (8, 6, 6)))(x)
    norm = x / (1 + 1e-5) ** 0.5
    expected = {"post": F.relu(x), "norm after": F.relu(norm)}.get(order, x)
    torch.testing.assert_close(y, expected)


@pytest.mark.parametrize("order", ORDERS)
def test_orders_differ_in_norms_only(order: Order) -> None:
    """He et al. 2016, fig. 4: the same convolutions; the norm after the addition has the block's width too."""
    post, other = counts(BasicBlock(8), (8, 6, 6)), counts(BasicBlock(8, order=order), (8, 6, 6))
    assert (other.params, other.macs, other.depth) == (post.params, post.macs, post.depth)


def test_every_order_is_its_own_network() -> None:
    assert len({fingerprint(alone(BasicBlock(8, order=order), (8, 6, 6))) for order in ORDERS}) == len(ORDERS)


def test_pre_activation_branch() -> None:
    """He et al. 2016, fig. 4e: x + conv(relu(norm(conv(relu(norm(x))))))."""
    network, x = built(BasicBlock(4, order="pre"), (4, 5, 5)), images(4, 5, 5)
    weights = [p for p in network.parameters() if p.dim() == 4]
    scale = 1 / (1 + 1e-5) ** 0.5
    y = F.conv2d(F.relu(x * scale), weights[0], padding=1)
    y = F.conv2d(F.relu(y * scale), weights[1], padding=1)
    torch.testing.assert_close(network(x), x + y)


def test_dropout_between_the_convolutions() -> None:
    """Zagoruyko & Komodakis 2016, section 2.4: with all units dropped the branch is zero, and the shortcut stays."""
    network, x = built(BasicBlock(4, order="pre", dropout=1.0), (4, 5, 5)), images(4, 5, 5)
    assert not torch.equal(network(x), x)
    assert torch.equal(network.train()(x), x)


@pytest.mark.parametrize("order", ORDERS)
def test_the_gate_stands_before_the_last_convolution(order: Order) -> None:
    """Radosavovic et al. 2020: a gate of 1/2 everywhere halves what the last convolution reads."""
    plain, gated = (built(Bottleneck(4, order=order, squeeze=squeeze), (16, 6, 6)) for squeeze in (0.0, 0.25))
    excite = [p for name, p in gated.named_parameters() if "excite" in name]
    weights = [p for name, p in gated.named_parameters() if "gate" not in name]
    with torch.no_grad():
        for parameter in excite:
            parameter.zero_()  # sigmoid(0) is 1/2
        for mine, other in zip(weights, plain.parameters(), strict=True):
            mine.copy_(other)
        [p for p in weights if p.dim() == 4][2].mul_(2)
    x = images(16, 6, 6)
    torch.testing.assert_close(gated(x), plain(x))


def test_the_gate_is_a_share_of_the_input() -> None:
    plain, gated = (counts(Bottleneck(32, expansion=1, squeeze=squeeze), (24, 6, 6)).params for squeeze in (0.0, 0.25))
    assert gated - plain == 2 * 32 * 6 + 32 + 6


def test_option_a_subsamples_and_pads() -> None:
    x = images(4, 6, 6)
    y = silenced(built(BasicBlock(10, 2, "A"), (4, 6, 6)))(x)
    assert torch.equal(y[:, :4], F.relu(x[:, :, ::2, ::2]))
    assert not y[:, 4:].any()


@pytest.mark.parametrize(
    ("shortcut", "stride", "extra"),
    [("A", 1, 0), ("B", 1, 0), ("C", 1, 8 * 8 + 16), ("none", 1, 0), ("A", 2, 0), ("B", 2, 8 * 8 + 16), ("none", 2, 0)],
)
def test_parameters_of_shortcuts(shortcut: Shortcut, stride: int, extra: int) -> None:
    plain = 2 * (8 * 8 * 9 + 16)
    assert counts(BasicBlock(8, stride, shortcut), (8, 6, 6)).params == plain + extra


def test_a_plain_block_has_no_shortcut() -> None:
    x = images(8, 6, 6)
    assert not silenced(built(BasicBlock(8, shortcut="none"), (8, 6, 6)))(x).any()


def test_the_stride_moves_the_work_not_the_weights() -> None:
    first, second = (counts(Bottleneck(8, 2, stride_on=on), (16, 8, 8)) for on in ("1x1", "3x3"))
    assert first.params == second.params
    assert first.macs < second.macs


def test_option_a_cannot_shrink() -> None:
    with pytest.raises(ShapeError, match="ChannelPad"):
        alone(BasicBlock(4, shortcut="A"), (8, 6, 6))


def test_a_dense_layer_keeps_what_it_reads() -> None:
    x = images(6, 5, 5)
    y = built(DenseLayer(4), (6, 5, 5))(x)
    assert torch.equal(y[:, :6], x)
    assert y.shape == (2, 10, 5, 5)


def test_dropout_only_in_training() -> None:
    network, x = built(DenseLayer(4, dropout=1.0), (6, 5, 5)), images(6, 5, 5)
    assert network(x)[:, 6:].any()
    assert not network.train()(x)[:, 6:].any()


def test_naive_inception_passes_the_pooled_input_on() -> None:
    x = images(3, 6, 6)
    y = built(InceptionNaive(2, 2, 2), (3, 6, 6))(x)
    assert torch.equal(y[:, 6:], F.max_pool2d(x, 3, 1, 1))


def test_conv_head_averages_the_maps() -> None:
    network, x = built(ConvHead(10, relu=False), (4, 6, 6)), images(4, 6, 6)
    weight, bias = network.parameters()
    torch.testing.assert_close(network(x), F.conv2d(x, weight, bias).mean((2, 3)))


@pytest.mark.parametrize("local_norm", ["before", "after"])
def test_response_norm_stands_where_it_says(local_norm: str) -> None:
    network, x = built(ConvPool(8, 3, local_norm=local_norm), (3, 9, 9)), images(3, 9, 9)
    weight, bias = network.parameters()
    steps = [nn.LocalResponseNorm(5, k=2.0), nn.MaxPool2d(3, 2)]
    y = F.relu(F.conv2d(x, weight, bias, padding=1))
    for step in steps if local_norm == "before" else steps[::-1]:
        y = step(y)
    torch.testing.assert_close(network(x), y)


def test_between_the_factors() -> None:
    """Without a ReLU two 3x3 are one linear 5x5 filter; with it they are not."""
    linear, bent = (built(FactorizedConv(4, norm=False, inner=inner), (1, 9, 9)) for inner in ("none", "relu"))
    for network, same in ((linear, True), (bent, False)):
        first, first_bias, second, second_bias = (p.detach() for p in network.parameters())
        joint = F.conv2d(first.transpose(0, 1), second.flip(2, 3), padding=2).transpose(0, 1)
        bias = second_bias + second.sum((2, 3)) @ first_bias
        x = images(1, 9, 9)
        inside = F.relu(F.conv2d(x, joint, bias))  # away from the border, where padding differs
        assert torch.allclose(network(x)[:, :, 2:-2, 2:-2], inside, atol=1e-5) is same
