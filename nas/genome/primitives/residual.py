"""Residual learning: a block learns what to add to its input (He et al. 2015)."""

from dataclasses import dataclass
from typing import Literal

from nas.genome.fields import Count, Width
from nas.genome.graph import Primitive, Shape, Value
from nas.genome.layers import Relu
from nas.genome.primitives.units import conv_bn, unit


def _label(kind: str, before: Shape, after: Shape) -> str:
    return kind if before == after else f"{kind}Projection"


@dataclass(frozen=True)
class BasicBlock(Primitive):
    """Two 3x3 convolutions plus the shortcut (He et al. 2015, fig. 5 left; projection where the shape changes)."""

    width: Width
    stride: Count = 1

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        y = conv_bn(unit(x, self.width, 3, self.stride), self.width, 3)
        return Relu()(y + (x if x.shape == y.shape else conv_bn(x, self.width, 1, self.stride, "shortcut")))

    def label(self, *inputs: Shape) -> str:
        return _label("BasicBlock", inputs[0], self.shape(*inputs))


@dataclass(frozen=True)
class Bottleneck(Primitive):
    """1x1 down, 3x3, 1x1 up, plus the shortcut (He et al. 2015, fig. 5 right).

    The stride sits on the first 1x1 as in the paper ("1x1"), or on the 3x3 as in most code since ("3x3").
    """

    width: Width
    stride: Count = 1
    expansion: Count = 4
    stride_on: Literal["1x1", "3x3"] = "3x3"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        first, second = (self.stride, 1) if self.stride_on == "1x1" else (1, self.stride)
        out = self.width * self.expansion
        y = conv_bn(unit(unit(x, self.width, 1, first), self.width, 3, second), out, 1)
        return Relu()(y + (x if x.shape == y.shape else conv_bn(x, out, 1, self.stride, "shortcut")))

    def label(self, *inputs: Shape) -> str:
        return _label("Bottleneck", inputs[0], self.shape(*inputs))
