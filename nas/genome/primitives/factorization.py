"""One large filter as several small ones (Szegedy et al. 2016, section 3)."""

from dataclasses import dataclass
from typing import Literal

from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Positive, Width, Window
from nas.genome.layers import Concat, MaxPool
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.stacks import ConvUnit


@dataclass(frozen=True)
class FactorizedConv(Primitive):
    """A 5x5 as two 3x3, a 7x7 as three: the same window with fewer weights (Szegedy et al. 2016, section 3.1, fig. 1).

    `inner` is the activation between them; in the paper a ReLU does better than none (fig. 2).
    """

    width: Width
    kernel: Literal[5, 7, 9, 11] = 5
    stride: Window = 1
    norm: bool = True
    inner: Literal["relu", "none"] = "relu"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        for _ in range((self.kernel - 1) // 2 - 1):
            x = ConvUnit(self.width, 3, norm=self.norm, activation=self.inner)(x)
        return ConvUnit(self.width, 3, self.stride, self.norm)(x)


@dataclass(frozen=True)
class AsymmetricConv(Primitive):
    """An n x n as 1 x n and n x 1, in either order (Szegedy et al. 2016, section 3.2, fig. 3)."""

    width: Width
    kernel: Literal[3, 5, 7, 9, 11] = 7
    norm: bool = True
    first: Literal["row", "column"] = "row"
    epsilon: Positive = 1e-5

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        sides = [(1, self.kernel), (self.kernel, 1)]
        for side in sides if self.first == "row" else sides[::-1]:
            x = ConvUnit(self.width, side, norm=self.norm, epsilon=self.epsilon)(x)
        return x


@dataclass(frozen=True)
class GridReduction(Primitive):
    """The grid halved while the channels grow to `width`, in three ways (Szegedy et al. 2016, section 5).

    "conv first" convolves on the large grid, which is expensive; "pool first" narrows the representation (fig. 9);
    "parallel" concatenates a convolution and a pooling, both at stride 2 (fig. 10), and needs `width` above the
    number of input channels.
    """

    width: Width
    form: Literal["conv first", "pool first", "parallel"] = "parallel"
    kernel: Literal[1, 3, 5] = 3
    norm: bool = True

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        if self.form == "conv first":
            return MaxPool(3, 2, padding=1)(ConvUnit(self.width, self.kernel, norm=self.norm)(x))
        if self.form == "pool first":
            return ConvUnit(self.width, self.kernel, norm=self.norm)(MaxPool(3, 2, padding=1)(x))
        if self.width <= x.shape[0]:
            raise self.shape_error(f"`width` (={self.width}) must be more than the input channels", x.shape)
        conv = ConvUnit(self.width - x.shape[0], self.kernel, 2, self.norm)(x)
        return Concat()(conv, MaxPool(3, 2, padding=1)(x))

    def class_name(self, *inputs: Shape) -> str:
        return {"conv first": "ConvThenPool", "pool first": "PoolThenConv", "parallel": "ParallelReduction"}[self.form]
