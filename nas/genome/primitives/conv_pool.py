"""The unit of the first convolutional networks: convolution, activation, pooling, sometimes a normalization."""

from dataclasses import dataclass
from typing import Literal

from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Count, Padding, Width, Window
from nas.genome.layers import AvgPool, MaxPool
from nas.genome.norms import LocalResponseNorm
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.primitives.units import Activation


@dataclass(frozen=True)
class ConvPool(Primitive):
    """Convolution, activation, pooling (LeCun et al. 1998, fig. 2; Krizhevsky et al. 2012, section 3.5).

    `window` above `pool_stride` is AlexNet's overlapping pooling (section 3.4); `ceil` keeps a last partial window.
    Local response normalization comes before the pooling as in AlexNet's paper, or after it as in ZFNet.
    """

    width: Width
    kernel: Window
    stride: Window = 1
    padding: Padding | None = None
    groups: Width = 1
    pool: Literal["max", "mean"] = "max"
    window: Count = 3
    pool_stride: Count = 2
    ceil: bool = False
    local_norm: Literal["none", "before", "after"] = "none"
    activation: Activation = "relu"

    def expand(self, *inputs: Value) -> Value:
        unit = ConvUnit(self.width, self.kernel, self.stride, False, self.padding, self.groups, False, self.activation)
        kind = MaxPool if self.pool == "max" else AvgPool
        pool = kind(self.window, self.pool_stride, ceil=self.ceil)
        x = unit.expand(*inputs)
        x = LocalResponseNorm()(x) if self.local_norm == "before" else x
        x = pool(x)
        return LocalResponseNorm()(x) if self.local_norm == "after" else x

    def class_name(self, *inputs: Shape) -> str:
        return {"none": "ConvPool", "before": "ConvNormPool", "after": "ConvPoolNorm"}[self.local_norm]
