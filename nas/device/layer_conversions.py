"""What becomes of each class of layer: one function each, which adds its integer operations and returns its value."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from nas.device.builder import MAX_CONCATENATED, IntegerGraphBuilder, Stored, unsupported
from nas.device.integer_graph import Activation, IntegerTensor, Options
from nas.device.shapes import image_shape, tensor_shape
from nas.device.windows import Axis, Pads, axes, pads
from nas.genome.activations import HardSigmoid, HardSwish, Prelu, Relu, Relu6, ScaledTanh, Sigmoid, Silu, Tanh
from nas.genome.channel_layers import ChannelShuffle, ChannelSplit, LayerScale, ZeroPad
from nas.genome.graph import Node, Op, Shape
from nas.genome.layers import AdaptivePool, Add, AvgPool, Concat, Conv, GlobalPool, Linear, MaxPool, Mul, pair
from nas.genome.norms import BatchNorm
from nas.genome.op_kinds import Input, Layer, SlidingWindow
from nas.genome.paper_layers import ChannelPad, ChannelScale, PositionBias
from nas.genome.primitives.cells import Narrow, Zero
from nas.genome.primitives.gates import ChannelConv

Conversion = Callable[[IntegerGraphBuilder, Node, Sequence[Stored]], Stored]
SAME, VALID = 0, 1  # paddings by the schema's numbers


def _input(builder: IntegerGraphBuilder, node: Node, _: Sequence[Stored]) -> Stored:
    return Stored(builder.activation(tensor_shape(node.shape)))


class ConvolutionParts(NamedTuple):
    """What a convolution becomes: the operation with its constants, and how its window lies on the image."""

    code: str
    weights: IntegerTensor
    bias: IntegerTensor
    window: tuple[Axis, Axis]
    options: Options
    shape: Shape


@lru_cache(maxsize=16_384)
def _convolution(op: Conv, image: Shape, zeros: Pads) -> ConvolutionParts:
    (rows, columns), (down, across), (dilation_down, dilation_across) = map(pair, (op.kernel, op.stride, op.dilation))
    options: Options = (
        ("stride_w", across), ("stride_h", down), ("dilation_w_factor", dilation_across),
        ("dilation_h_factor", dilation_down),
    )  # fmt: skip
    weights = IntegerTensor((op.width, rows, columns, image[0] // op.groups), "INT8", "weights", op.width)
    if depthwise := op.groups == image[0] > 1:
        weights = IntegerTensor((1, rows, columns, op.width), "INT8", "weights", op.width, axis=3)
        options += (("depth_multiplier", op.width // image[0]),)
    shape = op.shape(image)
    return ConvolutionParts(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        weights,
        IntegerTensor((op.width,), "INT32", "bias", op.width),
        axes(image, shape, op.sliding_window(), zeros),
        options,
        tensor_shape(shape),
    )


def _conv(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    assert isinstance(node.op, Layer)
    op = node.op.evaluated()
    assert isinstance(op, Conv)
    code, weights, bias, window, options, shape = _convolution(op, node.placed.inputs[0], inputs[0].zeros)
    tensor, padding = _slid(builder, node, inputs[0].tensor, window)
    read = tensor, builder.constant(weights), builder.constant(bias)
    return Stored(builder.add(node, code, read, shape, (("padding", padding), *options)))


def _slid(
    builder: IntegerGraphBuilder, node: Node, tensor: int, window: tuple[Axis, Axis], lowest: bool = False
) -> tuple[int, int]:
    """Return the tensor that a window slides over, made by a PAD operation if it needs one, and its padding."""
    if all(axis.is_valid for axis in window):
        return tensor, VALID
    if all(axis.is_same for axis in window):
        return tensor, SAME
    return builder.padded(node, tensor, pads(*window), lowest), VALID


def _channel_conv(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    """Slide the kernel over the channels as if they were the columns of an image of one channel."""
    op, shape = node.op, tensor_shape(node.shape)
    assert isinstance(op, ChannelConv)
    turned = (1, shape[1] * shape[2], shape[3], 1)
    tensor = builder.add(node, "RESHAPE", (inputs[0].tensor, builder.integers(*turned)), turned)
    weights = builder.constant(IntegerTensor((1, 1, op.kernel, 1), "INT8", "weights"))
    read = tensor, weights, builder.constant(IntegerTensor((1,), "INT32", "bias"))
    options: Options = (("padding", SAME), ("stride_w", 1), ("stride_h", 1))
    tensor = builder.add(node, "CONV_2D", read, turned, options)
    return Stored(builder.add(node, "RESHAPE", (tensor, builder.integers(*shape)), shape))


def _linear(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    ((features,),), (width,), (value,) = node.placed.inputs, node.shape, inputs
    weights = builder.constant(IntegerTensor((width, features), "INT8", "weights"))
    bias = builder.constant(IntegerTensor((width,), "INT32", "bias"))
    image = image_shape(builder.tensors[value.tensor].shape) if value.is_flattened else ()
    read = value.tensor, weights, bias
    return Stored(builder.add(node, "FULLY_CONNECTED", read, (1, width), flattened=image))


def _affine(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    """Scale and shift channels: in the weights of the convolution before, or by constants."""
    if builder.fold(node, inputs[0]):
        return inputs[0]
    tensor, shape = inputs[0].tensor, tensor_shape(node.shape)
    for code, content in (("MUL", "gain"), ("ADD", "shift")):
        if content == "gain" or not isinstance(node.op, LayerScale):
            constant = builder.constant(IntegerTensor((1, 1, 1, shape[3]), content=content))
            tensor = builder.add(node, code, (tensor, constant), shape)
    return Stored(tensor)


def _position_bias(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    shape = tensor_shape(node.shape)
    shift = builder.constant(IntegerTensor(shape, content="shift"))
    return Stored(builder.add(node, "ADD", (inputs[0].tensor, shift), shape))


def _fused(activation: Activation) -> Conversion:
    """Return the conversion of an activation that most operations can apply to their output."""

    def convert(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
        if builder.fuse(inputs[0], activation):
            return inputs[0]
        return _elementwise(builder, node, activation, inputs[0])

    return convert


def _alone(code: str) -> Conversion:
    """Return the conversion of an activation that is an operation of its own."""
    return lambda builder, node, inputs: _elementwise(builder, node, code, inputs[0])


def _elementwise(
    builder: IntegerGraphBuilder, node: Node, code: str, value: Stored, other: int | float | None = None
) -> Stored:
    """Add an operation on each element, with one number as the other operand if given; features stay flattened."""
    shape = builder.tensors[value.tensor].shape
    read: tuple[int, ...] = (value.tensor,)
    if other is not None:
        read += (builder.constant(IntegerTensor((1,) * len(shape), content=float(other))),)
    return value._replace(tensor=builder.add(node, code, read, shape))


def _scaled_tanh(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    scaled = _elementwise(builder, node, "MUL", inputs[0], 2 / 3)
    return _elementwise(builder, node, "MUL", _elementwise(builder, node, "TANH", scaled), 1.7159)


def _zero(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    return _elementwise(builder, node, "MUL", inputs[0], 0)


def _hard_sigmoid(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    raised = _elementwise(builder, node, "ADD", inputs[0], 3)
    builder.ops[-1] = builder.ops[-1]._replace(activation="RELU6")
    return _elementwise(builder, node, "MUL", raised, 1 / 6)


def _silu(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    gate = _elementwise(builder, node, "LOGISTIC", inputs[0])
    read = inputs[0].tensor, gate.tensor
    return gate._replace(tensor=builder.add(node, "MUL", read, builder.tensors[gate.tensor].shape))


def _prelu(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    shape = tensor_shape(node.shape)
    slopes = builder.constant(IntegerTensor((*(1 for _ in shape[1:]), shape[-1]), content="slopes"))
    return Stored(builder.add(node, "PRELU", (builder.features(node, inputs[0]), slopes), shape))


def _max_pool(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    op = node.op
    assert isinstance(op, MaxPool)
    window = axes(node.placed.inputs[0], node.shape, op.sliding_window())
    tensor, padding = _slid(builder, node, inputs[0].tensor, window, lowest=True)
    return _pooled(builder, node, "MAX_POOL_2D", tensor, padding, op.sliding_window())


def _avg_pool(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    """Add an average pooling: the runtime's SAME counts no padding, and after a PAD operation all of it is counted."""
    op = node.op
    assert isinstance(op, AvgPool)
    sliding = op.sliding_window()
    window, tensor = axes(node.placed.inputs[0], node.shape, sliding), inputs[0].tensor
    is_counted = op.count_padding and op.padding != 0
    if all(axis.is_valid for axis in window):
        return _pooled(builder, node, "AVERAGE_POOL_2D", tensor, VALID, sliding)
    if not is_counted and all(axis.is_same for axis in window):
        return _pooled(builder, node, "AVERAGE_POOL_2D", tensor, SAME, sliding)
    if not is_counted or any(axis.overhang > axis.before for axis in window):
        raise unsupported(node, "the runtime cannot average windows that are cut off like these")
    tensor = builder.padded(node, tensor, pads(*window))
    return _pooled(builder, node, "AVERAGE_POOL_2D", tensor, VALID, sliding)


def _pooled(
    builder: IntegerGraphBuilder, node: Node, code: str, tensor: int, padding: int, window: SlidingWindow
) -> Stored:
    (rows, columns), (down, across) = pair(window.kernel), pair(window.stride)
    options = (("padding", padding), ("stride_w", across), ("stride_h", down), ("filter_width", columns),
               ("filter_height", rows))  # fmt: skip
    return Stored(builder.add(node, code, (tensor,), tensor_shape(node.shape), options))


def _adaptive_pool(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    op, (_, rows, columns) = node.op, node.placed.inputs[0]
    assert isinstance(op, AdaptivePool)
    if op.grid == 1:
        return _mean(builder, node, inputs)
    if rows % op.grid or columns % op.grid:
        raise unsupported(node, "the runtime averages parts of equal size only")
    window = rows // op.grid, columns // op.grid
    return _pooled(builder, node, "AVERAGE_POOL_2D", inputs[0].tensor, VALID, SlidingWindow(window, window))


def _mean(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    """Add a mean over the image; as an image of one position where the output is one."""
    read = inputs[0].tensor, builder.integers(1, 2)
    options = (("keep_dims", int(len(node.shape) == 3)),)
    return Stored(builder.add(node, "MEAN", read, tensor_shape(node.shape), options))


def _joined(code: str) -> Conversion:
    """Return the conversion of a layer that computes each element from those of its two inputs."""

    def convert(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
        read = tuple([builder.features(node, value) for value in inputs])
        return Stored(builder.add(node, code, read, tensor_shape(node.shape)))

    return convert


def _concat(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    if len(inputs) > MAX_CONCATENATED:
        raise unsupported(node, f"the runtime concatenates at most {MAX_CONCATENATED} tensors")
    read = tuple([builder.rescalable(node, builder.features(node, value)) for value in inputs])
    shape = tensor_shape(node.shape)
    return Stored(builder.add(node, "CONCATENATION", read, shape, (("axis", len(shape) - 1),)))


def _zero_pad(_: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    """Leave the zeros to the convolution that reads them, if it is the only reader: its own padding may have them."""
    op = node.op
    assert isinstance(op, ZeroPad)
    (top, left), (bottom, right) = pair(op.before), pair(op.after)
    return inputs[0]._replace(zeros=((top, bottom), (left, right)))


def _channel_pad(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    zeros = node.shape[0] - node.placed.inputs[0][0]
    read = inputs[0].tensor, builder.integers(0, 0, 0, 0, 0, 0, 0, zeros, shape=(4, 2))
    return Stored(builder.add(node, "PAD", read, tensor_shape(node.shape)))


def _narrow(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    return _sliced(builder, node, inputs[0].tensor, 0)


def _channel_split(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    op = node.op
    assert isinstance(op, ChannelSplit)
    return _sliced(builder, node, inputs[0].tensor, op.part * node.shape[0])


def _sliced(builder: IntegerGraphBuilder, node: Node, tensor: int, first: int) -> Stored:
    """Add a slice of the channels from the first on."""
    shape = tensor_shape(node.shape)
    return Stored(
        builder.add(node, "SLICE", (tensor, builder.integers(0, 0, 0, first), builder.integers(*shape)), shape)
    )


def _channel_shuffle(builder: IntegerGraphBuilder, node: Node, inputs: Sequence[Stored]) -> Stored:
    op, (_, rows, columns, channels) = node.op, tensor_shape(node.shape)
    assert isinstance(op, ChannelShuffle)
    grouped, mixed = (
        (1, rows * columns, op.groups, channels // op.groups),
        (1, rows * columns, channels // op.groups, op.groups),
    )
    tensor = builder.add(node, "RESHAPE", (inputs[0].tensor, builder.integers(*grouped)), grouped)
    tensor = builder.add(node, "TRANSPOSE", (tensor, builder.integers(0, 1, 3, 2)), mixed)
    shape = tensor_shape(node.shape)
    return Stored(builder.add(node, "RESHAPE", (tensor, builder.integers(*shape)), shape))


CONVERSIONS: dict[type[Op], Conversion] = {
    AdaptivePool: _adaptive_pool,
    Add: _joined("ADD"),
    AvgPool: _avg_pool,
    BatchNorm: _affine,
    ChannelConv: _channel_conv,
    ChannelPad: _channel_pad,
    ChannelScale: _affine,
    ChannelShuffle: _channel_shuffle,
    ChannelSplit: _channel_split,
    Concat: _concat,
    Conv: _conv,
    GlobalPool: _mean,
    HardSigmoid: _hard_sigmoid,
    HardSwish: _alone("HARD_SWISH"),
    Input: _input,
    LayerScale: _affine,
    Linear: _linear,
    MaxPool: _max_pool,
    Mul: _joined("MUL"),
    Narrow: _narrow,
    PositionBias: _position_bias,
    Prelu: _prelu,
    Relu: _fused("RELU"),
    Relu6: _fused("RELU6"),
    ScaledTanh: _scaled_tanh,
    Sigmoid: _alone("LOGISTIC"),
    Silu: _silu,
    Tanh: _alone("TANH"),
    Zero: _zero,
    ZeroPad: _zero_pad,
}
"""The conversion of each layer; one that is missing needs an operation that the runtime lacks. A layer of a user's own
is added here."""
