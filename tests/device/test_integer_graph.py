"""The integer operations of a network compute what torch computes, and are as few as can be."""

import numpy as np
import pytest
import torch
from device.trained import convertible_network, images_for, scores_of, trained

from nas.device.conversion import integer_graph
from nas.device.float_constants import float_constants
from nas.device.float_run import run_float
from nas.device.integer_graph import IntegerOp
from nas.device.layer_arrays import layer_arrays
from nas.errors import DeviceError
from nas.genome import Graph, Input, Value
from nas.genome.channel_layers import same_padding
from nas.genome.primitives import (
    AdaptivePool,
    AvgPool,
    BasicBlock,
    BatchNorm,
    ChannelShuffle,
    Concat,
    Conv,
    ConvUnit,
    DenseBlock,
    Dropout,
    FcHead,
    Flatten,
    GapHead,
    Gelu,
    LayerScale,
    Linear,
    MaxPool,
    Mul,
    Prelu,
    Relu,
    Relu6,
    RepVGGBlock,
    Sigmoid,
    SqueezeExcite,
    Stem,
)  # fmt: skip
from nas.model import module


def operations(value: Value) -> list[IntegerOp]:
    return list(integer_graph(Graph.of(value)).ops)


def codes(value: Value) -> list[str]:
    return [op.code for op in operations(value)]


def image(channels: int = 4, side: int = 8) -> Value:
    return Input((channels, side, side))()


@pytest.mark.parametrize("seed", range(40))
def test_in_real_numbers_it_is_what_torch_computes(seed: int) -> None:
    graph = convertible_network(seed)
    network, images, integers = trained(graph, seed), images_for(graph, seed), integer_graph(graph)
    constants = float_constants(integers, layer_arrays(graph, network))
    *_, (tensor, found) = run_float(integers, constants, images)
    wanted = scores_of(network, images)
    assert tensor == integers.output
    np.testing.assert_allclose(found, wanted, atol=1e-5 * max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_windows_lie_where_torchs_lie(side: int, kernel: int, stride: int) -> None:
    x = image(3, side)
    for layer in (
        Conv(2, kernel, stride), MaxPool(kernel, stride, kernel // 2), MaxPool(kernel, stride, ceil=True),
        AvgPool(kernel, stride, kernel // 2),
    ):  # fmt: skip
        graph = Graph.of(Flatten()(layer(x)))
        network, images, integers = trained(graph), images_for(graph), integer_graph(graph)
        *_, (_, found) = run_float(integers, float_constants(integers, layer_arrays(graph, network)), images)
        np.testing.assert_allclose(found, scores_of(network, images), atol=1e-5)


def test_norm_and_activation_are_part_of_the_convolution() -> None:
    (op, *_) = operations(GapHead(3)(Dropout(0.1)(Relu()(BatchNorm()(Conv(8, 3)(image()))))))
    assert (op.code, op.activation, op.folded) == ("CONV_2D", "RELU", ("norm_1",))
    (op,) = operations(Relu6()(LayerScale()(BatchNorm()(Conv(4, 3)(image())))))
    assert (op.activation, op.folded) == ("RELU6", ("norm_1", "layer_scale_1"))


def test_what_two_layers_read_is_not_changed_by_one() -> None:
    y = Conv(4, 3)(image())
    assert codes(Relu()(y) + y)[:3] == ["CONV_2D", "RELU", "ADD"]
    assert codes(BatchNorm()(y) + y)[:4] == ["CONV_2D", "MUL", "ADD", "ADD"]
    skipped = Dropout(0.5)(y)
    assert codes(Relu()(skipped) + skipped)[:3] == ["CONV_2D", "RELU", "ADD"]


def test_norms_after_a_concatenation_are_constants() -> None:
    ops = operations(GapHead(3)(Relu()(BatchNorm()(Concat()(image(), Conv(2, 3)(image()))))))
    assert [op.code for op in ops] == ["CONV_2D", "CONCATENATION", "MUL", "ADD", "MEAN", "FULLY_CONNECTED"]
    assert ops[3].activation == "RELU"


def test_padding_at_stride_2_is_torchs() -> None:
    x = image(4, 8)
    assert codes(Conv(8, 3, 2)(x))[:2] == ["PAD", "CONV_2D"]
    assert codes(Conv(8, 3, 2)(image(4, 7)))[0] == "CONV_2D"  # of an odd side TensorFlow pads both ends alike
    zeros = same_padding(x.shape, 3, 2)
    assert zeros is not None
    assert codes(Conv(8, 3, 2, 0)(zeros(x)))[0] == "CONV_2D"  # TensorFlow's own padding
    assert codes(MaxPool(3, 2, 1)(x))[:2] == ["PADV2", "MAX_POOL_2D"]


def test_features_stay_an_image_until_their_order_matters() -> None:
    x = Flatten()(Conv(4, 3)(image()))
    assert codes(Linear(3)(Relu()(x))) == ["CONV_2D", "FULLY_CONNECTED"]
    assert codes(x) == ["CONV_2D", "TRANSPOSE", "RESHAPE"]
    assert codes(FcHead(3, (5,))(image())) == ["FULLY_CONNECTED", "FULLY_CONNECTED"]


def test_gates_and_shuffles() -> None:
    assert codes(SqueezeExcite(2)(image())) == ["MEAN", "CONV_2D", "CONV_2D", "LOGISTIC", "MUL"]
    assert codes(ChannelShuffle(2)(image()))[:3] == ["RESHAPE", "TRANSPOSE", "RESHAPE"]
    assert codes(Prelu()(Conv(4, 1)(image())))[:2] == ["CONV_2D", "PRELU"]
    mixed = codes(Concat()(Sigmoid()(image()), image()))
    assert mixed[:3] == ["LOGISTIC", "QUANTIZE", "CONCATENATION"]  # the scale of a sigmoid is prescribed
    assert codes(Mul()(image(), AdaptivePool(1)(image())))[:2] == ["MEAN", "MUL"]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda: Gelu()(Stem(4)(image())), r"gelu_1 cannot run.*Gelu\(\) on \(4, 8, 8\): the runtime has no operation"),
        (lambda: AdaptivePool(3)(image()), "parts of equal size"),
        (lambda: AvgPool(3, 2, 1, count_padding=False)(image()), "cut off"),
        (lambda: Concat()(*[image()] * 11), "at most 10"),
    ],
)  # fmt: skip
def test_what_the_runtime_lacks_is_named(value: object, says: str) -> None:
    assert callable(value)
    with pytest.raises(DeviceError, match=says):
        integer_graph(Graph.of(GapHead(3)(value())))


def test_auxiliary_heads_are_left_out() -> None:
    x = Stem(8)(image())
    main = GapHead(3)(ConvUnit(8)(x))
    assert integer_graph(Graph.of(main, GapHead(3)(Gelu()(x)))).ops == integer_graph(Graph.of(main)).ops


def test_weights_of_other_layers_are_refused() -> None:
    graph, other = (Graph.of(GapHead(3)(BasicBlock(width)(image()))) for width in (4, 8))
    arrays = layer_arrays(other, trained(other))
    with pytest.raises(DeviceError, match="no weights that fit"):
        float_constants(integer_graph(graph), arrays)


def test_branches_of_blocks_get_their_own_weights() -> None:
    x = Stem(4)(image(3))
    left, right = ConvUnit(4)(x), ConvUnit(4)(x)
    graph = Graph.of(GapHead(3)(ConvUnit(4)(left) + ConvUnit(4)(right)), GapHead(3)(DenseBlock(2, 2)(x)))
    network, images, integers = trained(graph), images_for(graph), integer_graph(graph)
    *_, (_, found) = run_float(integers, float_constants(integers, layer_arrays(graph, network)), images)
    np.testing.assert_allclose(found, scores_of(network, images), atol=1e-4)


def test_branches_that_fold_are_one_convolution() -> None:
    graph = Graph.of(GapHead(3)(RepVGGBlock(8, 2)(RepVGGBlock(4)(image()))))
    torch.manual_seed(0)
    network = module(graph, training=True)
    with torch.no_grad():
        network(torch.randn(16, 4, 8, 8))  # statistics that differ from their start
    network.eval()
    images, integers = images_for(graph), integer_graph(graph)
    *_, (_, found) = run_float(integers, float_constants(integers, layer_arrays(graph, network)), images)
    np.testing.assert_allclose(found, scores_of(network, images), atol=1e-4)
    assert [op.code for op in integers.ops] == ["CONV_2D", "PAD", "CONV_2D", "MEAN", "FULLY_CONNECTED"]
