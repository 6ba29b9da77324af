"""Convolutions one after another: the unit, VGG's stack of small filters, Network in Network's mlpconv."""

from dataclasses import dataclass
from typing import Annotated

from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Count, Limits, Padding, Positive, Width, Window
from nas.genome.layers import Conv
from nas.genome.norms import BatchNorm
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.units import Activation, activate

Widths = Annotated[tuple[int, ...], Limits(1, 65_536)]
Few = Annotated[int, Limits(0, 1_024)]


@dataclass(frozen=True)
class ConvUnit(Primitive):
    """Convolution, batch norm, ReLU (Ioffe & Szegedy 2015, section 3.2); with a bias if there is no norm.

    `bias` adds a bias even with the norm; `groups` splits the channels as AlexNet did over two GPUs
    (Krizhevsky et al. 2012, section 3.2).
    """

    width: Width
    kernel: Window = 3
    stride: Window = 1
    norm: bool = True
    padding: Padding | None = None
    groups: Width = 1
    bias: bool = False
    activation: Activation = "relu"
    epsilon: Positive = 1e-5

    def expand(self, *inputs: Value) -> Value:
        bias = self.bias or not self.norm
        y = Conv(self.width, self.kernel, self.stride, self.padding, self.groups, bias)(*inputs)
        return activate(BatchNorm(self.epsilon)(y) if self.norm else y, self.activation)


@dataclass(frozen=True)
class ConvStack(Primitive):
    """`depth` k x k convolutions that keep the size of the image (Simonyan & Zisserman 2014, section 2.3).

    The last `pointwise` of them are 1x1, as in configuration C (table 1).
    """

    width: Width
    depth: Count = 2
    kernel: Window = 3
    norm: bool = True
    pointwise: Few = 0

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        for i in range(self.depth):
            kernel = self.kernel if i < self.depth - self.pointwise else 1
            x = ConvUnit(self.width, kernel, norm=self.norm)(x)
        return x

    def class_name(self, *inputs: Shape) -> str:
        return "PointwiseConvStack" if self.pointwise else "ConvStack"


@dataclass(frozen=True)
class MlpConv(Primitive):
    """A convolution followed by 1x1 convolutions: a perceptron slid over the image (Lin et al. 2013, fig. 2)."""

    width: Width
    hidden: Widths
    kernel: Window = 3
    stride: Window = 1
    padding: Padding | None = None
    norm: bool = False

    def expand(self, *inputs: Value) -> Value:
        y = ConvUnit(self.width, self.kernel, self.stride, self.norm, self.padding)(*inputs)
        for width in self.hidden:
            y = ConvUnit(width, 1, norm=self.norm)(y)
        return y
