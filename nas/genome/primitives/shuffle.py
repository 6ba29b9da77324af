"""Units that leave half of the channels alone and mix the halves afterwards (Ma et al. 2018, ShuffleNet V2)."""

from dataclasses import dataclass

from nas.genome.activations import Relu
from nas.genome.channel_layers import ChannelShuffle, ChannelSplit
from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Count, Rate, Width, Window
from nas.genome.layers import Concat
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.gates import SqueezeExcite
from nas.genome.primitives.units import conv_bn, unit


@dataclass(frozen=True)
class ShuffleUnit(Primitive):
    """1x1, depthwise and 1x1 on half of the channels, then a shuffle (Ma et al. 2018, ShuffleNet V2, fig. 3c, d).

    The other half passes unchanged. Where the stride or the number of channels changes the image, both branches read
    all channels, and the other one is a depthwise and a 1x1 convolution. `squeeze` gates the convolved half, as in the
    paper's appendix.
    """

    width: Width
    stride: Count = 1
    kernel: Window = 3
    squeeze: Rate = 0.0

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        if self._splits(x.shape):
            left, right = ChannelSplit(2, 0)(x), ChannelSplit(2, 1)(x)
        else:
            left = self._depthwise(x, "left_depthwise")
            left, right = Relu()(conv_bn(left, self.width, 1, name="left_conv")), x
        right = self._depthwise(unit(right, self.width, 1), "depthwise")
        right = unit(right, self.width, 1)
        if self.squeeze:
            right = SqueezeExcite(max(1, round(self.squeeze * self.width)))(right, name="gate")
        return ChannelShuffle(2)(Concat()(left, right))

    def class_name(self, *inputs: Shape) -> str:
        kind = "GatedShuffleUnit" if self.squeeze else "ShuffleUnit"
        return kind if self._splits(inputs[0]) else f"{kind}Reduction"

    def _splits(self, shape: Shape) -> bool:
        return self.stride == 1 and shape[0] == 2 * self.width

    def _depthwise(self, x: Value, name: str) -> Value:
        return conv_bn(x, x.shape[0], self.kernel, self.stride, name, groups=x.shape[0])
