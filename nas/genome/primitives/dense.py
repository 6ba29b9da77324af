"""Dense connectivity: every layer reads the outputs of all earlier layers (Huang et al. 2017)."""

from dataclasses import dataclass

from nas.genome.activations import Relu
from nas.genome.graph import Value
from nas.genome.hyperparameters import Count, Rate, Width
from nas.genome.layers import AvgPool, Concat, Conv
from nas.genome.norms import BatchNorm
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.units import dropped


@dataclass(frozen=True)
class DenseLayer(Primitive):
    """Norm, ReLU, 3x3 to `growth` channels, concatenated with the input (Huang et al. 2017, section 3).

    With `bottleneck`, a 1x1 to four times the growth comes first (DenseNet-B). `dropout` follows the 3x3, as in the
    paper's training without augmentation (section 4.2).
    """

    growth: Width
    bottleneck: bool = True
    dropout: Rate = 0.0

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        y = Relu()(BatchNorm()(x))
        if self.bottleneck:
            y = Relu()(BatchNorm()(Conv(4 * self.growth, 1)(y)))
        y = Conv(self.growth, 3)(y)
        return Concat()(x, dropped(y, self.dropout))


@dataclass(frozen=True)
class DenseBlock(Primitive):
    """`depth` dense layers, each adding `growth` channels (Huang et al. 2017, fig. 1)."""

    growth: Width
    depth: Count
    bottleneck: bool = True
    dropout: Rate = 0.0

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        for _ in range(self.depth):
            x = DenseLayer(self.growth, self.bottleneck, self.dropout)(x)
        return x


@dataclass(frozen=True)
class Transition(Primitive):
    """1x1 to a fraction of the channels, then average pooling that halves the grid (Huang et al. 2017, section 3)."""

    compression: Rate = 0.5

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        width = max(1, int(x.shape[0] * self.compression))
        return AvgPool(2, 2)(Conv(width, 1)(Relu()(BatchNorm()(x))))
