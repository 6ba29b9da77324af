"""Stacks of equal convolutions: small filters, one after another (VGG)."""

from dataclasses import dataclass

from nas.genome.fields import Count, Width, Window
from nas.genome.graph import Primitive, Value
from nas.genome.layers import Conv, Norm, Relu


@dataclass(frozen=True)
class ConvUnit(Primitive):
    """Convolution, batch norm, ReLU (Ioffe & Szegedy 2015, section 3.2); with a bias where there is no norm."""

    width: Width
    kernel: Window = 3
    stride: Window = 1
    norm: bool = True

    def expand(self, *inputs: Value) -> Value:
        y = Conv(self.width, self.kernel, self.stride, bias=not self.norm)(*inputs)
        return Relu()(Norm()(y) if self.norm else y)


@dataclass(frozen=True)
class ConvStack(Primitive):
    """k x k convolutions one after another, the image's size kept (Simonyan & Zisserman 2014, section 2.3)."""

    width: Width
    depth: Count = 2
    kernel: Window = 3
    norm: bool = True

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        for _ in range(self.depth):
            x = ConvUnit(self.width, self.kernel, norm=self.norm)(x)
        return x
