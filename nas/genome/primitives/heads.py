"""The last layers: from feature maps to one logit per class; and the auxiliary heads used in training."""

from dataclasses import dataclass

from nas.genome.activations import Relu
from nas.genome.graph import Value
from nas.genome.hyperparameters import Count, Rate, Width
from nas.genome.layers import AdaptivePool, AvgPool, Flatten, GlobalPool, Linear
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.stacks import ConvUnit, Widths
from nas.genome.primitives.units import Activation, activate, dropped


@dataclass(frozen=True)
class GapHead(Primitive):
    """Global average pooling, then one linear layer (Lin et al. 2013, section 3.2; He et al. 2015)."""

    classes: Width
    dropout: Rate = 0.0

    role = "head"

    def expand(self, *inputs: Value) -> Value:
        return Linear(self.classes)(dropped(GlobalPool()(*inputs), self.dropout))


@dataclass(frozen=True)
class FcHead(Primitive):
    """The image flattened into hidden linear layers with dropout (Krizhevsky et al. 2012, section 3.5).

    `grid` first averages an image of any size into that many rows and columns; `dropout_first` drops each hidden
    layer's inputs instead of its outputs (Krizhevsky 2014, as released in torchvision).
    """

    classes: Width
    hidden: Widths = (4096, 4096)
    dropout: Rate = 0.5
    activation: Activation = "relu"
    grid: Count | None = None
    dropout_first: bool = False

    role = "head"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        y = Flatten()(AdaptivePool(self.grid)(x) if self.grid else x)
        before, after = (self.dropout, 0.0) if self.dropout_first else (0.0, self.dropout)
        for width in self.hidden:
            y = Linear(width)(dropped(y, before))
            y = dropped(activate(y, self.activation), after)
        return Linear(self.classes)(y)


@dataclass(frozen=True)
class ConvHead(Primitive):
    """A 1x1 convolution to one map per class, then global average pooling (Lin et al. 2013, section 3.2).

    There is no linear layer. With `relu` the maps are rectified first, as in the authors' configurations.
    """

    classes: Width
    dropout: Rate = 0.0
    relu: bool = True

    role = "head"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        unit = ConvUnit(self.classes, 1, norm=False, activation="relu" if self.relu else "none")
        return GlobalPool()(unit(dropped(x, self.dropout), name="conv"))


@dataclass(frozen=True)
class AuxiliaryHead(Primitive):
    """5x5 mean pooling at stride 3, 1x1 convolution, hidden linear layer (Szegedy et al. 2014, section 5).

    With `grid` the pooling is adaptive and with `norm` the convolution is normalized, as released in torchvision.
    """

    classes: Width
    width: Width = 128
    hidden: Width = 1024
    dropout: Rate = 0.7
    norm: bool = False
    grid: Count | None = None

    role = "auxiliary"

    def expand(self, *inputs: Value) -> Value:
        pool = AdaptivePool(self.grid) if self.grid else AvgPool(5, 3)
        y = ConvUnit(self.width, 1, norm=self.norm, epsilon=1e-3)(pool(*inputs, name="pool"), name="conv")
        y = Relu()(Linear(self.hidden)(Flatten()(y)))
        return Linear(self.classes)(dropped(y, self.dropout))


@dataclass(frozen=True)
class NormAuxiliaryHead(Primitive):
    """5x5 mean pooling, 1x1 and 5x5 convolutions with batch norm, one linear layer (Szegedy et al. 2016, fig. 8)."""

    classes: Width
    width: Width = 128
    hidden: Width = 768

    role = "auxiliary"

    def expand(self, *inputs: Value) -> Value:
        y = ConvUnit(self.width, 1, epsilon=1e-3)(AvgPool(5, 3)(*inputs, name="pool"))
        y = ConvUnit(self.hidden, 5, padding=0, epsilon=1e-3)(y, name="convs")
        return Linear(self.classes)(GlobalPool()(y))
