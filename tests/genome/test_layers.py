"""Layers against torch and against the papers' formulas; shape, params and MACs of random ones: test_contracts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from nas.errors import GenomeError, ShapeError
from nas.genome import OPS, Graph, Input, fingerprint, from_json, to_json
from nas.genome.activations import Prelu, Relu, ScaledTanh, Tanh
from nas.genome.channel_layers import ChannelShuffle, ChannelSplit, LayerScale, same_padding
from nas.genome.graph import Op, Shape
from nas.genome.layers import AdaptivePool, AvgPool, Conv, GlobalPool, Linear, MaxPool, Mul
from nas.genome.metrics import receptive_field
from nas.genome.norms import GroupNorm, LayerNorm, LocalResponseNorm
from nas.genome.paper_layers import LENET_TABLE, ChannelPad, ChannelScale, CodeDistance, PositionBias, TableConv
from nas.model import module, source


def built(op: Op, shape: Shape) -> nn.Module:
    return module(Graph.of(op(Input(shape)()))).eval()


def shape_of(op: Op, shape: Shape) -> Shape:
    return op(Input(shape)()).shape


def images(*shape: int) -> Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))


windows = st.integers(1, 5)


@given(size=st.integers(1, 40), window=windows, stride=windows, padding=st.integers(0, 2), ceil=st.booleans())
@settings(max_examples=150, deadline=None)
def test_pooling_sizes_are_torchs(size: int, window: int, stride: int, padding: int, ceil: bool) -> None:
    with torch.device("meta"):
        image = torch.empty(1, 3, size, size + 3)
        pool = nn.MaxPool2d(window, stride, padding, ceil_mode=ceil)
    op = MaxPool(window, stride, padding, ceil)
    try:
        expected = tuple(pool(image).shape[1:])
    except RuntimeError:
        with pytest.raises(ShapeError):
            shape_of(op, (3, size, size + 3))
        return
    assert shape_of(op, (3, size, size + 3)) == expected


@pytest.mark.parametrize(
    ("op", "shape", "expected"),
    [
        (Conv(96, 11, 4, padding=0), (3, 227, 227), (96, 55, 55)),  # AlexNet, conv1
        (MaxPool(3, 2), (96, 55, 55), (96, 27, 27)),  # overlapping
        (MaxPool(3, 2), (64, 112, 112), (64, 55, 55)),
        (MaxPool(3, 2, ceil=True), (64, 112, 112), (64, 56, 56)),  # GoogLeNet
        (Conv(8, (1, 7)), (8, 17, 17), (8, 17, 17)),
        (AdaptivePool(6), (256, 13, 9), (256, 6, 6)),
    ],
    ids=str,
)
def test_known_sizes(op: Op, shape: Shape, expected: Shape) -> None:
    assert shape_of(op, shape) == expected


def test_activations() -> None:
    x = images(4, 3, 3)
    assert torch.equal(built(Tanh(), (4, 3, 3))(x), torch.tanh(x))
    torch.testing.assert_close(built(ScaledTanh(), (4, 3, 3))(x), 1.7159 * torch.tanh(2 * x / 3))


@pytest.mark.parametrize("name", ["Gelu", "HardSigmoid", "HardSwish", "Relu6", "Sigmoid", "Silu"])
def test_nonlinearities_by_their_formulas(name: str) -> None:
    x = 4 * images(4, 3, 3)
    hard = (x + 3).clamp(0, 6) / 6
    expected = {
        "Gelu": x * (1 + torch.erf(x / 2**0.5)) / 2, "HardSigmoid": hard, "HardSwish": x * hard, "Relu6": x.clamp(0, 6),
        "Sigmoid": 1 / (1 + torch.exp(-x)), "Silu": x / (1 + torch.exp(-x)),
    }  # fmt: skip
    torch.testing.assert_close(built(OPS[name](), (4, 3, 3))(x), expected[name])


def test_a_slope_per_channel() -> None:
    network = built(Prelu(), (2, 3, 3))
    with torch.no_grad():
        next(network.parameters()).copy_(torch.tensor([0.5, 2.0]))
    torch.testing.assert_close(network(-images(2, 3, 3).abs())[:, 1], -2 * images(2, 3, 3).abs()[:, 1])


def test_layer_norm_is_over_the_channels_of_a_position() -> None:
    y = built(LayerNorm(), (16, 3, 3))(5 + 2 * images(16, 3, 3))
    torch.testing.assert_close(y.mean(1), torch.zeros(2, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(1, correction=0), torch.ones(2, 3, 3), atol=1e-4, rtol=0)


def test_a_dilated_kernel_reads_every_second_pixel() -> None:
    dilated, dense = built(Conv(2, 3, dilation=2), (2, 7, 7)), built(Conv(2, 5), (2, 7, 7))
    weight = torch.zeros(2, 2, 5, 5)
    weight[:, :, ::2, ::2] = next(dilated.parameters()).detach()
    with torch.no_grad():
        next(dense.parameters()).copy_(weight)
    torch.testing.assert_close(dilated(images(2, 7, 7)), dense(images(2, 7, 7)))
    assert receptive_field(Graph.of(Conv(2, 3, dilation=(1, 4))(Input((2, 9, 9))()))) == 9


def test_shuffle_and_split_are_torchs() -> None:
    x = images(12, 2, 2)
    assert torch.equal(built(ChannelShuffle(3), (12, 2, 2))(x), F.channel_shuffle(x, 3))
    parts = [built(ChannelSplit(4, part), (12, 2, 2))(x) for part in range(4)]
    assert torch.equal(torch.cat(parts, 1), x)


def test_a_gate_of_one_value_per_channel_on_either_side() -> None:
    x, gate = Input((4, 3, 3))(name="x"), Conv(4, 1)
    for product in (x * gate(AdaptivePool(1)(x)), gate(AdaptivePool(1)(x)) * x):
        assert product.shape == (4, 3, 3)
        assert module(Graph.of(product)).eval()(images(4, 3, 3)).shape == (2, 4, 3, 3)


def test_products_keep_their_parentheses() -> None:
    x = Input((4, 3, 3))(name="x")
    for value, expected in (
        (x * x + x, lambda x: x * x + x),
        ((x + x) * (x + x), lambda x: 4 * x * x),
        (GlobalPool()(x * (x + x)), lambda x: (2 * x * x).mean((2, 3))),
        (Relu()(x * (x + x)), lambda x: 2 * x * x),
        (ScaledTanh()(x * x), lambda x: 1.7159 * torch.tanh(2 / 3 * x * x)),
    ):
        torch.testing.assert_close(module(Graph.of(value))(images(4, 3, 3)), expected(images(4, 3, 3)))


def test_layer_scale_starts_small() -> None:
    x = images(3, 2, 2)
    torch.testing.assert_close(built(LayerScale(0.1), (3, 2, 2))(x), 0.1 * x)


@given(side=st.integers(1, 30), kernel=windows, stride=windows)
@settings(max_examples=100, deadline=None)
def test_same_padding_is_tensorflows(side: int, kernel: int, stride: int) -> None:
    """Sides of ceil(side / stride), and at most one more zero at the end than at the beginning."""
    pad = same_padding((3, side, side), kernel, stride)
    x = Input((3, side, side))()
    x = pad(x) if pad else x
    assert Conv(3, kernel, stride, padding=0)(x).shape == (3, -(-side // stride), -(-side // stride))
    if pad:
        (before, _), (after, _) = (
            value if isinstance(value, tuple) else (value, value) for value in (pad.before, pad.after)
        )
        assert 0 <= after - before <= 1
        assert built(pad, (3, side, side))(images(3, side, side)).shape[2] == side + before + after


def test_a_later_field_changes_no_earlier_network() -> None:
    plain = Graph.of(Conv(4, 3)(Input((3, 8, 8))()))
    assert "dilation" not in to_json(plain)
    assert fingerprint(plain) == "919d7e6629bd592a720a153c69b5ef34"
    dilated = Graph.of(Conv(4, 3, dilation=2)(Input((3, 8, 8))()))
    assert from_json(to_json(dilated)) == dilated
    assert fingerprint(dilated) != fingerprint(plain)


def test_local_norm_is_the_papers_formula() -> None:
    """Krizhevsky et al. 2012, section 3.3, with alpha divided by the size as torch does."""
    size, alpha, beta, k = 3, 0.3, 0.75, 2.0
    x = images(5, 2, 2)
    near = F.pad(x.square(), (0, 0, 0, 0, 1, 1)).unfold(1, size, 1).sum(-1)
    expected = x / (k + alpha / size * near) ** beta
    torch.testing.assert_close(built(LocalResponseNorm(size, alpha, beta, k), (5, 2, 2))(x), expected)


def test_channel_pad_sets_zeros_behind() -> None:
    x = images(3, 4, 4)
    y = built(ChannelPad(5), (3, 4, 4))(x)
    assert torch.equal(y[:, :3], x)
    assert not y[:, 3:].any()


def test_position_bias_is_one_a_point() -> None:
    network = built(PositionBias(), (1, 19, 19))
    (bias,) = network.parameters()
    with torch.no_grad():
        bias.copy_(torch.arange(361.0).view(1, 19, 19))
    assert torch.equal(network(torch.zeros(1, 1, 19, 19)).flatten(), torch.arange(361.0))


def test_channel_scale_is_a_coefficient_and_a_bias_a_channel() -> None:
    network = built(ChannelScale(), (2, 3, 3))
    x = images(2, 3, 3)
    assert torch.equal(network(x), x)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.tensor([2.0, 3.0]).view(2, 1, 1))
    assert torch.equal(network(x)[:, 1], x[:, 1] * 3 + 3)


def test_table_conv_is_a_dense_one_with_links_cut() -> None:
    network = built(TableConv(5), (6, 9, 9))
    weight, bias = torch.zeros(16, 6, 5, 5), torch.zeros(16)
    parameters = iter(network.parameters())
    for place, maps in enumerate(LENET_TABLE):
        weight[place, list(maps)] = next(parameters).detach()[0]
        bias[place] = next(parameters).detach()[0]
    x = images(6, 9, 9)
    torch.testing.assert_close(network(x), F.conv2d(x, weight, bias))


def test_each_map_of_s2_feeds_ten_of_c3() -> None:
    """LeCun et al. 1998, table 1: every column of six has ten crosses."""
    assert [sum(maps.count(i) for maps in LENET_TABLE) for i in range(6)] == [10] * 6
    assert len(set(LENET_TABLE)) == 16


def test_code_distance_answers_the_nearest_code() -> None:
    network = built(CodeDistance(10), (84,))
    codes = network.get_buffer("code_distance.codes")
    assert set(codes.flatten().tolist()) == {-1.0, 1.0}
    assert torch.equal(network(codes * 0.9).argmax(1), torch.arange(10))
    torch.testing.assert_close(network(codes).diagonal(), torch.zeros(10))
    assert list(network.parameters()) == []


@pytest.mark.parametrize(
    ("op", "shape", "message"),
    [
        (Conv(4, 3), (10,), "needs an image"),
        (Conv(4, 7, padding=0), (3, 5, 5), "window of 7 is larger"),
        (Conv(4, 3, groups=2), (3, 8, 8), "must be divisible by `groups` \\(=2\\)"),
        (Linear(4), (3, 8, 8), "flatten or pool"),
        (MaxPool(3, 2, padding=2), (3, 8, 8), "at most half"),
        (ChannelPad(2), (3, 8, 8), "`width` \\(=2\\)"),
        (TableConv(5), (3, 32, 32), "six input maps"),
        (TableConv(5), (6, 4, 32), "window of 5 is larger"),
        (CodeDistance(10), (3, 2, 2), "needs features"),
        (LocalResponseNorm(), (10,), "needs an image"),
        (GroupNorm(3), (4, 2, 2), "divisible by `groups`"),
        (GroupNorm(4), (4, 1, 1), "no variance"),
        (ChannelShuffle(3), (4, 2, 2), "divisible by `groups`"),
        (ChannelSplit(3), (4, 2, 2), "divisible by `parts`"),
    ],
    ids=str,
)
def test_refusals_say_what_is_wrong(op: Op, shape: Shape, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        shape_of(op, shape)


def test_products_of_other_shapes_are_refused() -> None:
    x = Input((4, 3, 3))(name="x")
    with pytest.raises(ShapeError, match="one value per channel"):
        Mul()(x, Conv(2, 3)(x))


def test_a_part_beyond_the_last_is_refused() -> None:
    with pytest.raises(GenomeError, match="`part` \\(=2\\) must be less than `parts`"):
        ChannelSplit(2, 2)


def test_a_field_out_of_range_is_refused() -> None:
    with pytest.raises(GenomeError, match="LocalResponseNorm: `size` \\(=0\\)"):
        LocalResponseNorm(0)


def test_a_helper_is_written_once() -> None:
    x = Input((2, 4, 4))()
    text = source(Graph.of(ChannelPad(7)(ChannelPad(5)(ChannelScale()(x)))))
    assert text.count("class ChannelPad(nn.Module)") == 1
    assert text.index("class ChannelScale") < text.index("class Network")


def test_averaging_may_leave_the_padding_out() -> None:
    x = torch.ones(1, 1, 2, 2)
    assert built(AvgPool(2, 1, padding=1), (1, 2, 2))(x)[0, 0, 0, 0] == 0.25
    assert built(AvgPool(2, 1, padding=1, count_padding=False), (1, 2, 2))(x)[0, 0, 0, 0] == 1
