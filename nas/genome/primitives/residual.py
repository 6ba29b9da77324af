"""Residual blocks: each computes what is added to its input (He et al. 2015, 2016)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nas.genome.activations import Relu
from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Count, Rate, Width
from nas.genome.layers import Conv, MaxPool
from nas.genome.norms import BatchNorm
from nas.genome.op_kinds import Primitive
from nas.genome.paper_layers import ChannelPad
from nas.genome.primitives.gates import SqueezeExcite
from nas.genome.primitives.units import conv_bn, dropped

Shortcut = Literal["A", "B", "C", "none"]
"""Zero channels (A) or a projection (B) where the shape changes; always a projection (C); or no shortcut, as in a plain
network (He et al. 2015, sections 3.3 and 4.1)."""

Order = Literal["post", "norm after", "relu before", "relu only", "pre"]
"""The order of norm and ReLU: the original, norm after the addition, ReLU before the addition, ReLU-only
pre-activation, full pre-activation (He et al. 2016, fig. 4 a to e)."""

ConvSpec = tuple[int, int, int, int]  # width, kernel, stride, groups


def residual_sum(
    x: Value,
    convs: Sequence[ConvSpec],
    shortcut: Shortcut,
    order: Order,
    before_last: Callable[[Value], Value] = lambda y: y,
) -> Value:
    """Return the sum of the convolutions' output and the shortcut around them.

    `before_last` is applied to the activated input of the last convolution. A projection reads what the first
    convolution reads: under pre-activation, the activated input (He et al. 2016, appendix).
    """
    stride = max(stride for _, _, stride, _ in convs)
    changes = stride > 1 or x.shape[0] != convs[-1][0]
    projects = shortcut == "C" or (shortcut == "B" and changes)
    first = Relu()(BatchNorm()(x)) if order == "pre" else x
    y = _branch(first, convs, order, before_last)
    if projects:
        y = y + _projection(first, y.shape[0], stride, order)
    elif shortcut != "none":
        y = y + (_padded(x, y.shape[0], stride) if changes else x)
    y = BatchNorm()(y) if order == "norm after" else y
    return Relu()(y) if order in ("post", "norm after") else y


def _branch(y: Value, convs: Sequence[ConvSpec], order: Order, before_last: Callable[[Value], Value]) -> Value:
    for i, (width, kernel, stride, groups) in enumerate(convs):
        last = i == len(convs) - 1
        if order == "pre" and i:
            y = Relu()(BatchNorm()(y))
        elif order == "relu only":
            y = Relu()(y)
        y = before_last(y) if last else y
        if order == "pre" or (order == "norm after" and last):
            y = Conv(width, kernel, stride, groups=groups)(y)
        else:
            y = conv_bn(y, width, kernel, stride, groups=groups)
        if order == "relu before" or (order in ("post", "norm after") and not last):
            y = Relu()(y)
    return y


def _projection(x: Value, width: int, stride: int, order: Order) -> Value:
    if order == "pre":
        return Conv(width, 1, stride)(x, name="shortcut")
    return conv_bn(x, width, 1, stride, "shortcut")


def _padded(x: Value, width: int, stride: int) -> Value:
    x = MaxPool(1, stride)(x, name="subsample") if stride > 1 else x
    return ChannelPad(width)(x, name="pad") if width != x.shape[0] else x


def _variant(kind: str, before: Shape, after: Shape, shortcut: Shortcut) -> str:
    if shortcut == "none":
        return f"Plain{kind}"
    if before == after and shortcut != "C":
        return kind
    return kind + ("Padded" if shortcut == "A" else "Projection")


@dataclass(frozen=True)
class BasicBlock(Primitive):
    """Two 3x3 convolutions plus the shortcut (He et al. 2015, fig. 5 left).

    `dropout` acts between the convolutions, after the ReLU (Zagoruyko & Komodakis 2016, section 2.4).
    """

    width: Width
    stride: Count = 1
    shortcut: Shortcut = "B"
    order: Order = "post"
    dropout: Rate = 0.0

    later_fields = ("dropout",)

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        convs = (self.width, 3, self.stride, 1), (self.width, 3, 1, 1)
        return residual_sum(x, convs, self.shortcut, self.order, lambda y: dropped(y, self.dropout))

    def class_name(self, *inputs: Shape) -> str:
        return _variant("BasicBlock", inputs[0], self.shape(*inputs), self.shortcut)


@dataclass(frozen=True)
class Bottleneck(Primitive):
    """1x1, 3x3, 1x1, plus the shortcut (He et al. 2015, fig. 5 right).

    The stride sits on the first 1x1 as in the paper ("1x1"), or on the 3x3 as in most code since ("3x3"). With `groups`
    the 3x3 is that of ResNeXt (Xie et al. 2017, fig. 3c), and with `expansion` 1 that of RegNetX. `squeeze` gates the
    channels before the last 1x1, as in RegNetY (Radosavovic et al. 2020, section 4).
    """

    width: Width
    stride: Count = 1
    expansion: Count = 4
    stride_on: Literal["1x1", "3x3"] = "3x3"
    shortcut: Shortcut = "B"
    order: Order = "post"
    groups: Width = 1
    squeeze: Rate = 0.0

    later_fields = ("groups", "squeeze")

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        first, second = (self.stride, 1) if self.stride_on == "1x1" else (1, self.stride)
        out = self.width * self.expansion
        convs = (self.width, 1, first, 1), (self.width, 3, second, self.groups), (out, 1, 1, 1)
        return residual_sum(x, convs, self.shortcut, self.order, lambda y: self._gated(y, x.shape[0]))

    def _gated(self, y: Value, channels: int) -> Value:
        return SqueezeExcite(max(1, round(self.squeeze * channels)))(y, name="gate") if self.squeeze else y

    def class_name(self, *inputs: Shape) -> str:
        kind = "GatedBottleneck" if self.squeeze else "Bottleneck"
        return _variant(kind, inputs[0], self.shape(*inputs), self.shortcut)
