"""ConvNeXt, version 1: a residual network with the shapes of a vision transformer (Liu et al. 2022)."""

from dataclasses import dataclass

from nas.genome.activations import Gelu
from nas.genome.channel_layers import LayerScale
from nas.genome.graph import Value
from nas.genome.hyperparameters import Count, Width, Window
from nas.genome.layers import AdaptivePool, Conv, Flatten, Linear
from nas.genome.norms import LayerNorm
from nas.genome.op_kinds import Primitive


@dataclass(frozen=True)
class ConvNeXtBlock(Primitive):
    """Depthwise 7x7, norm, 1x1 to four times the channels, GELU, 1x1, scaled and added (Liu et al. 2022, fig. 4).

    Without the stochastic depth that training adds. Version 2 has another norm in place of the scale.
    """

    kernel: Window = 7
    expansion: Count = 4

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        channels = x.shape[0]
        y = Conv(channels, self.kernel, groups=channels, bias=True)(x, name="depthwise")
        y = Gelu()(Conv(self.expansion * channels, 1, bias=True)(LayerNorm()(y), name="expand"))
        return x + LayerScale()(Conv(channels, 1, bias=True)(y, name="project"))


@dataclass(frozen=True)
class PatchStem(Primitive):
    """Convolution of squares that do not overlap, then layer norm (Liu et al. 2022, section 2.2, "patchify")."""

    width: Width
    patch: Count = 4

    role = "stem"

    def expand(self, *inputs: Value) -> Value:
        return LayerNorm()(Conv(self.width, self.patch, self.patch, 0, bias=True)(*inputs))


@dataclass(frozen=True)
class PatchReduction(Primitive):
    """Layer norm, then 2x2 at stride 2: what halves the grid between stages (Liu et al. 2022, section 2.6)."""

    width: Width

    def expand(self, *inputs: Value) -> Value:
        return Conv(self.width, 2, 2, 0, bias=True)(LayerNorm()(*inputs))


@dataclass(frozen=True)
class NormHead(Primitive):
    """Global average pooling, layer norm, then one linear layer (Liu et al. 2022, table 9)."""

    classes: Width

    role = "head"

    def expand(self, *inputs: Value) -> Value:
        return Linear(self.classes)(Flatten()(LayerNorm()(AdaptivePool(1)(*inputs))))
