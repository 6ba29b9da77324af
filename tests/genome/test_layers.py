"""Layers against torch and against the papers' formulas; shape, params and MACs of random ones: test_contracts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from nas.errors import GenomeError, ShapeError
from nas.genome import Graph, Input
from nas.genome.graph import Op, Shape
from nas.genome.layers import AdaptivePool, AvgPool, Conv, Linear, LocalResponseNorm, MaxPool, ScaledTanh, Tanh
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
    ],
    ids=str,
)
def test_refusals_say_what_is_wrong(op: Op, shape: Shape, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        shape_of(op, shape)


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
