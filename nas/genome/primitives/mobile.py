"""Blocks around depthwise convolutions: those of MobileNet, MnasNet and EfficientNet."""

from dataclasses import dataclass
from typing import Literal

from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Count, Positive, Rate, Ratio, Width
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.gates import ChannelGate, gated
from nas.genome.primitives.units import Activation, DepthwiseKernel, activate, conv_bn, depthwise_bn


def inner_width(channels: int, expansion: float) -> int:
    """Return the channels inside an inverted block, at least one."""
    return max(1, round(channels * expansion))


@dataclass(frozen=True)
class DepthwiseSeparable(Primitive):
    """A depthwise and a 1x1 convolution, each with batch norm and activation (Howard et al. 2017, fig. 3)."""

    width: Width
    kernel: DepthwiseKernel = 3
    stride: Count = 1
    activation: Activation = "relu"
    epsilon: Positive = 1e-5

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        x = activate(depthwise_bn(x, self.kernel, self.stride, eps=self.epsilon), self.activation)
        return activate(conv_bn(x, self.width, 1, name="pointwise", eps=self.epsilon), self.activation)


@dataclass(frozen=True)
class InvertedResidual(Primitive):
    """1x1 up, depthwise, gate, linear 1x1 down; plus the input if it has this shape (Sandler et al. 2018, fig. 4d).

    Also called MBConv. Its hyperparameters make it the block of MobileNetV2 (ReLU6), MnasNet (ReLU; Tan et al. 2019,
    fig. 7), MobileNetV3 (h-swish, gate "hard se"; Howard et al. 2019, fig. 4) and EfficientNet (SiLU, gate "se"; Tan &
    Le 2019, section 4). With expansion 1 there is no first 1x1 convolution.
    """

    width: Width
    expansion: Ratio = 6.0
    kernel: DepthwiseKernel = 3
    stride: Count = 1
    gate: ChannelGate = "none"
    squeeze: Rate = 0.25
    activation: Activation = "relu6"
    epsilon: Positive = 1e-5
    padding: Literal["half", "same"] = "half"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        y, inner = x, inner_width(x.shape[0], self.expansion)
        if inner != x.shape[0]:
            y = activate(conv_bn(y, inner, 1, name="expand", eps=self.epsilon), self.activation)
        y = depthwise_bn(y, self.kernel, self.stride, eps=self.epsilon, same=self.padding == "same")
        y = gated(activate(y, self.activation), self.gate, self.squeeze, self.activation)
        y = conv_bn(y, self.width, 1, name="project", eps=self.epsilon)
        return x + y if self.stride == 1 and y.shape == x.shape else y

    def class_name(self, *inputs: Shape) -> str:
        channels = inputs[0][0]
        kind = "Depthwise" if inner_width(channels, self.expansion) == channels else "Inverted"
        end = "Residual" if self.stride == 1 and channels == self.width else "Bottleneck"
        return ("" if self.gate == "none" else "Gated") + kind + end


@dataclass(frozen=True)
class FusedMBConv(Primitive):
    """k x k up, linear 1x1 down; plus the input if it has this shape (Tan & Le 2021, EfficientNetV2, fig. 2).

    Without expansion it is one k x k convolution with its activation. The gate of the figure is left out, as in the
    networks of table 4.
    """

    width: Width
    expansion: Ratio = 4.0
    kernel: DepthwiseKernel = 3
    stride: Count = 1
    activation: Activation = "silu"
    epsilon: Positive = 1e-5

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        inner = inner_width(x.shape[0], self.expansion)
        if inner == x.shape[0]:
            y = conv_bn(x, self.width, self.kernel, self.stride, "conv", eps=self.epsilon)
            y = activate(y, self.activation)
        else:
            y = activate(conv_bn(x, inner, self.kernel, self.stride, "expand", eps=self.epsilon), self.activation)
            y = conv_bn(y, self.width, 1, name="project", eps=self.epsilon)
        return x + y if self.stride == 1 and y.shape == x.shape else y

    def class_name(self, *inputs: Shape) -> str:
        channels = inputs[0][0]
        adds = self.stride == 1 and channels == self.width
        if inner_width(channels, self.expansion) == channels:
            return "ConvResidual" if adds else "FusedConv"
        return "FusedResidual" if adds else "FusedBottleneck"
