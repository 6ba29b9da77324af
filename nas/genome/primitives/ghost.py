"""Ghost features: channels that a cheap depthwise convolution makes from others (Han et al. 2020, GhostNet)."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Count, Rate, Ratio, Width, Window
from nas.genome.layers import Concat
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.cells import Narrow
from nas.genome.primitives.gates import ChannelGate, gated
from nas.genome.primitives.mobile import inner_width
from nas.genome.primitives.units import Activation, DepthwiseKernel, activate, conv_bn, depthwise_bn


@dataclass(frozen=True)
class GhostModule(Primitive):
    """One in `ratio` channels by a convolution, the others by a depthwise one after it (Han et al. 2020, sec. 3.1)."""

    width: Width
    kernel: Window = 1
    ratio: Literal[2, 3, 4] = 2
    cheap_kernel: DepthwiseKernel = 3
    stride: Count = 1
    activation: Activation = "relu"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        own = ceil(self.width / self.ratio)
        y = activate(conv_bn(x, own, self.kernel, self.stride, "primary"), self.activation)
        ghosts = conv_bn(y, own * (self.ratio - 1), self.cheap_kernel, name="cheap", groups=own)
        y = Concat()(y, activate(ghosts, self.activation))
        return y if y.shape[0] == self.width else Narrow(self.width)(y)

    def class_name(self, *inputs: Shape) -> str:
        return "LinearGhostModule" if self.activation == "none" else "GhostModule"


@dataclass(frozen=True)
class GhostBottleneck(Primitive):
    """A ghost module up, a depthwise stride, a gate, a linear ghost module down (Han et al. 2020, fig. 3).

    The input is added; where the shape changes, after a depthwise and a 1x1 convolution, as in the authors' code.
    """

    width: Width
    expansion: Ratio = 3.0
    kernel: DepthwiseKernel = 3
    stride: Count = 1
    gate: ChannelGate = "none"
    squeeze: Rate = 0.25

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        y = GhostModule(inner_width(x.shape[0], self.expansion))(x)
        y = depthwise_bn(y, self.kernel, self.stride) if self.stride > 1 else y
        y = gated(y, self.gate, self.squeeze, "relu")
        y = GhostModule(self.width, activation="none")(y)
        if self.stride > 1 or x.shape[0] != self.width:
            x = conv_bn(depthwise_bn(x, self.kernel, self.stride, "shortcut_depthwise"), self.width, 1, name="shortcut")
        return x + y

    def class_name(self, *inputs: Shape) -> str:
        changes = self.stride > 1 or inputs[0][0] != self.width
        return ("" if self.gate == "none" else "Gated") + "GhostBottleneck" + ("Projection" if changes else "")
