"""Gates: a factor per channel that is computed from the whole image."""

from dataclasses import dataclass
from math import log2
from typing import Literal

from nas.genome.activations import HardSigmoid, Sigmoid
from nas.genome.graph import Shape, Value, place_op
from nas.genome.hyperparameters import Width
from nas.genome.layers import AdaptivePool, Conv, image
from nas.genome.op_kinds import Call, Layer, Primitive
from nas.genome.primitives.units import Activation, activate

Gate = Literal["sigmoid", "hardsigmoid"]
ChannelGate = Literal["none", "se", "hard se", "eca"]
"""No gate, squeeze-and-excitation, the form of it in MobileNetV3, or efficient channel attention."""

ChannelKernel = Literal[1, 3, 5, 7, 9]


@dataclass(frozen=True)
class ChannelConv(Layer):
    """Convolution along the channels, with the same kernel at every position (Wang et al. 2020, section 3.2.2)."""

    kernel: ChannelKernel

    weighted = True
    torch_class_source = '''
class ChannelConv(nn.Conv2d):
    """Convolution along the channels, with the same kernel at every position (Wang et al. 2020, section 3.2.2)."""

    def __init__(self, kernel: int) -> None:
        super().__init__(1, 1, (kernel, 1), padding=(kernel // 2, 0), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(2).unsqueeze(1)).view_as(x)
'''

    def shape(self, *inputs: Shape) -> Shape:
        return image(self, *inputs)

    def params(self, *inputs: Shape) -> int:
        return self.kernel

    def macs(self, *inputs: Shape) -> int:
        return place_op(self, inputs).size * self.kernel

    def module(self, *inputs: Shape) -> Call:
        return Call("ChannelConv", (("kernel", self.kernel),))


@dataclass(frozen=True)
class SqueezeExcite(Primitive):
    """The image times a gate per channel, from two layers over the means of all channels (Hu et al. 2018, fig. 1).

    MobileNetV3 gates by a sigmoid in straight lines, EfficientNet activates by SiLU.
    """

    squeezed: Width
    activation: Activation = "relu"
    gate: Gate = "sigmoid"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        y = Conv(self.squeezed, 1, bias=True)(AdaptivePool(1)(x), name="squeeze")
        y = Conv(x.shape[0], 1, bias=True)(activate(y, self.activation), name="excite")
        return x * (Sigmoid() if self.gate == "sigmoid" else HardSigmoid())(y)


@dataclass(frozen=True)
class EfficientChannelAttention(Primitive):
    """The image times a gate per channel, from the means of its neighbors (Wang et al. 2020, ECA-Net, fig. 2).

    `kernel` is their number; None: the odd number next to log2(channels) / 2 + 1/2 (equation 12, gamma 2 and b 1).
    """

    kernel: ChannelKernel | None = None

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        y = ChannelConv(self.kernel or _adapted(x.shape[0]))(AdaptivePool(1)(x), name="attend")
        return x * Sigmoid()(y)


def _adapted(channels: int) -> ChannelKernel:
    """Return the kernel for a number of channels, as in the authors' code: rounded down, then up to an odd number."""
    kernel = int((log2(channels) + 1) / 2)
    return kernel if kernel % 2 else kernel + 1  # type: ignore[return-value]  # 1 to 9 for 1 to 65,536 channels


def gated(x: Value, gate: ChannelGate, squeeze: float, activation: Activation) -> Value:
    """Return the image times its gate; unchanged for "none".

    `squeeze` is the number of channels inside squeeze-and-excitation as a share of the image's. Its layers are joined
    by `activation`; in the form of MobileNetV3 by ReLU, whatever the activation around it (Howard et al. 2019, 5.3).
    """
    if gate == "none":
        return x
    if gate == "eca":
        return EfficientChannelAttention()(x, name="gate")
    width = max(1, round(x.shape[0] * squeeze))
    hard = gate == "hard se"
    return SqueezeExcite(width, "relu" if hard else activation, "hardsigmoid" if hard else "sigmoid")(x, name="gate")
