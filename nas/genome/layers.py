"""The layers: each op that torch computes in one call, with its shape, parameters, MACs and source.

MACs count convolutions and linear layers only, as torch's own FlopCounterMode does (halved).
"""

from dataclasses import dataclass
from math import prod
from typing import Any

from nas.genome.graph import Op, Shape, place_op
from nas.genome.hyperparameters import Count, Padding, Rate, Width, Window
from nas.genome.op_kinds import Call, Layer, SlidingWindow

Pair = tuple[int, int]


def pair(value: int | Pair) -> Pair:
    """Return a number for both axes as a pair: 3 becomes (3, 3)."""
    return value if isinstance(value, tuple) else (value, value)


def image(op: Op, *inputs: Shape) -> Shape:
    """Return the first input's shape. Raises ShapeError unless it is an image."""
    if len(inputs[0]) != 3:
        raise op.shape_error("needs an image (channels, height, width)", *inputs)
    return inputs[0]


def slide(op: Op, window: SlidingWindow, shape: Shape, ceil: bool = False) -> Pair:
    """Return the rows and columns after a window slides over an image, by torch's rule.

    Raises ShapeError when the window is larger than the padded image.
    """
    sizes = []
    for size, k, s, p in zip(shape[1:], *map(pair, window), strict=True):
        room = size + 2 * p - k
        steps = -(-room // s) if ceil else room // s
        if steps < 0:
            raise op.shape_error(f"a window of {k} is larger than the padded side {size + 2 * p}", shape)
        if ceil and steps * s >= size + p:
            steps -= 1  # torch: the last window must start inside the image or its left padding
        sizes.append(steps + 1)
    return sizes[0], sizes[1]


@dataclass(frozen=True)
class Conv(Layer):
    """2-D convolution; without `padding`, half the kernel on each side (torch.nn.Conv2d)."""

    width: Width
    kernel: Window
    stride: Window = 1
    padding: Padding | None = None
    groups: Width = 1
    bias: bool = False
    dilation: Window = 1

    later_fields = ("dilation",)
    weighted = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.padding is None:
            rows, columns = ((k - 1) // 2 for k in pair(self._reach()))
            object.__setattr__(self, "padding", rows if rows == columns else (rows, columns))

    def shape(self, *inputs: Shape) -> Shape:
        channels = image(self, *inputs)[0]
        for name, value in (("input channels", channels), ("width", self.width)):
            if value % self.groups:
                raise self.shape_error(f"{name} (={value}) must be divisible by `groups` (={self.groups})", *inputs)
        return self.width, *slide(self, self.sliding_window(), inputs[0])

    def sliding_window(self) -> SlidingWindow:
        return SlidingWindow(self._reach(), self.stride, self.padding or 0)

    def _reach(self) -> int | Pair:
        """Return the rows and columns from the first to the last pixel that the kernel reads."""
        if self.dilation == 1:
            return self.kernel
        rows, columns = (d * (k - 1) + 1 for k, d in zip(pair(self.kernel), pair(self.dilation), strict=True))
        return rows, columns

    def params(self, *inputs: Shape) -> int:
        return self.width * (inputs[0][0] // self.groups * prod(pair(self.kernel)) + self.bias)

    def macs(self, *inputs: Shape) -> int:
        return place_op(self, inputs).size * prod(pair(self.kernel)) * (inputs[0][0] // self.groups)

    def module(self, *inputs: Shape) -> Call:
        return Call(
            "nn.Conv2d",
            (("in_channels", inputs[0][0]), ("out_channels", self.width), ("kernel_size", self.kernel)),
            (
                ("stride", self.stride, 1),
                ("padding", self.padding, 0),
                ("dilation", self.dilation, 1),
                ("groups", self.groups, 1),
                ("bias", self.bias, True),
            ),
        )


@dataclass(frozen=True)
class Linear(Layer):
    """Fully connected layer over features (torch.nn.Linear)."""

    width: Width
    bias: bool = True

    weighted = True

    def shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 1:
            raise self.shape_error("needs features; flatten or pool the image first", *inputs)
        return (self.width,)

    def params(self, *inputs: Shape) -> int:
        return self.width * (inputs[0][0] + self.bias)

    def macs(self, *inputs: Shape) -> int:
        return self.width * inputs[0][0]

    def module(self, *inputs: Shape) -> Call:
        args = (("in_features", inputs[0][0]), ("out_features", self.width))
        return Call("nn.Linear", args, (("bias", self.bias, True),))


@dataclass(frozen=True)
class MaxPool(Layer):
    """Maximum over a sliding window; `ceil` keeps a last partial window (torch.nn.MaxPool2d)."""

    window: Window
    stride: Window
    padding: Padding = 0
    ceil: bool = False

    def shape(self, *inputs: Shape) -> Shape:
        return _pooled(self, *inputs)

    def sliding_window(self) -> SlidingWindow:
        return SlidingWindow(self.window, self.stride, self.padding)

    def module(self, *inputs: Shape) -> Call:
        return _pool_call("nn.MaxPool2d", self)


@dataclass(frozen=True)
class AvgPool(Layer):
    """Mean over a sliding window, with or without the padding (torch.nn.AvgPool2d)."""

    window: Window
    stride: Window
    padding: Padding = 0
    ceil: bool = False
    count_padding: bool = True

    def shape(self, *inputs: Shape) -> Shape:
        return _pooled(self, *inputs)

    def sliding_window(self) -> SlidingWindow:
        return SlidingWindow(self.window, self.stride, self.padding)

    def module(self, *inputs: Shape) -> Call:
        return _pool_call("nn.AvgPool2d", self, ("count_include_pad", self.count_padding, True))


def _pooled(op: MaxPool | AvgPool, *inputs: Shape) -> Shape:
    if any(2 * p > k for p, k in zip(pair(op.padding), pair(op.window), strict=True)):
        raise op.shape_error(f"`padding` (={op.padding}) must be at most half of `window` (={op.window})", *inputs)
    shape = image(op, *inputs)
    return shape[0], *slide(op, op.sliding_window(), shape, op.ceil)


def _pool_call(target: str, op: MaxPool | AvgPool, *more: tuple[str, Any, Any]) -> Call:
    options = (("padding", op.padding, 0), ("ceil_mode", op.ceil, False), *more)
    return Call(target, (("kernel_size", op.window), ("stride", op.stride)), options)


@dataclass(frozen=True)
class AdaptivePool(Layer):
    """Mean over `grid` x `grid` equal parts of an image of any size (torch.nn.AdaptiveAvgPool2d)."""

    grid: Count

    pools = True

    def shape(self, *inputs: Shape) -> Shape:
        return image(self, *inputs)[0], self.grid, self.grid

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.AdaptiveAvgPool2d", (("output_size", self.grid),))


@dataclass(frozen=True)
class GlobalPool(Layer):
    """Global average pooling: one feature per channel (Lin et al. 2013, section 3.2)."""

    forward = "{0}.mean((2, 3))"
    pools = True

    def shape(self, *inputs: Shape) -> Shape:
        return (image(self, *inputs)[0],)


@dataclass(frozen=True)
class Flatten(Layer):
    """An image as features, channel by channel (torch.flatten)."""

    forward = "{0}.flatten(1)"

    def shape(self, *inputs: Shape) -> Shape:
        return (prod(inputs[0]),)


@dataclass(frozen=True)
class Dropout(Layer):
    """Drops units at random in training (Srivastava et al. 2014; torch.nn.Dropout)."""

    rate: Rate = 0.5

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.Dropout", (("p", self.rate),))


@dataclass(frozen=True)
class Add(Layer):
    """Elementwise sum of two equal shapes: the identity shortcut (He et al. 2015, equation 1)."""

    forward = "{0} + {1}"
    commutes = True
    arity = 2

    def shape(self, *inputs: Shape) -> Shape:
        if inputs[0] != inputs[1]:
            raise self.shape_error("the shapes must be equal; project the shortcut", *inputs)
        return inputs[0]


@dataclass(frozen=True)
class Concat(Layer):
    """Concatenation of channels, as in Inception and DenseNet (torch.cat)."""

    forward = "torch.cat([{all}], 1)"
    arity = None

    def shape(self, *inputs: Shape) -> Shape:
        if len({(len(shape), shape[1:]) for shape in inputs}) > 1:
            raise self.shape_error("rows and columns must be equal", *inputs)
        return sum(shape[0] for shape in inputs), *inputs[0][1:]


@dataclass(frozen=True)
class Mul(Layer):
    """Elementwise product of equal shapes, or of an image and one value per channel (Hu et al. 2018, equation 4)."""

    forward = "{0} * {1}"
    commutes = True
    arity = 2

    def shape(self, *inputs: Shape) -> Shape:
        large, small = sorted(inputs, key=prod, reverse=True)
        if small not in (large, (large[0], 1, 1)):
            raise self.shape_error("one must be like the other, or one value per channel of it", *inputs)
        return large
