"""Inception: several filters side by side (Szegedy et al. 2014, "Going deeper with convolutions")."""

from dataclasses import dataclass
from typing import Literal

from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Width
from nas.genome.layers import AvgPool, Concat, MaxPool
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.primitives.units import Side

EPSILON = 1e-3  # of every batch norm in the released networks


def conv(x: Value, width: int, kernel: Side, name: str | None = None, norm: bool = True, bias: bool = False) -> Value:
    """Return the output of a unit of an inception module: stride 1, the size of the image kept."""
    return ConvUnit(width, kernel, norm=norm, bias=bias, epsilon=EPSILON if norm else 1e-5)(x, name=name)


@dataclass(frozen=True)
class InceptionNaive(Primitive):
    """1x1, 3x3, 5x5 and a 3x3 max-pooling side by side, all on the full input (Szegedy et al. 2014, fig. 2a)."""

    one: Width
    three: Width
    five: Width
    norm: bool = False

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        return Concat()(
            conv(x, self.one, 1, "one", self.norm),
            conv(x, self.three, 3, "three", self.norm),
            conv(x, self.five, 5, "five", self.norm),
            MaxPool(3, 1, padding=1)(x, name="pool"),
        )


@dataclass(frozen=True)
class Inception(Primitive):
    """Inception with 1x1 reductions before the 3x3 and 5x5 and after the pooling (Szegedy et al. 2014, fig. 2b).

    `kernel` 3 instead of 5 is the variant released in torchvision.
    """

    one: Width
    three_reduce: Width
    three: Width
    five_reduce: Width
    five: Width
    pool: Width
    kernel: Literal[3, 5] = 5
    norm: bool = False

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        norm = self.norm
        return Concat()(
            conv(x, self.one, 1, "one", norm),
            conv(conv(x, self.three_reduce, 1, norm=norm), self.three, 3, "three", norm),
            conv(conv(x, self.five_reduce, 1, norm=norm), self.five, self.kernel, "five", norm),
            conv(MaxPool(3, 1, padding=1)(x, name="pool"), self.pool, 1, "projection", norm),
        )


@dataclass(frozen=True)
class FactorizedInception(Primitive):
    """Inception with two 3x3 in place of the 5x5 (Szegedy et al. 2016, fig. 5; Ioffe & Szegedy 2015, fig. 5)."""

    one: Width
    three_reduce: Width
    three: Width
    double_reduce: Width
    double: Width
    pool: Width
    pooling: Literal["mean", "max"] = "mean"
    bias: bool = False

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        bias = self.bias
        pool = (AvgPool if self.pooling == "mean" else MaxPool)(3, 1, padding=1)
        double = conv(conv(x, self.double_reduce, 1, bias=bias), self.double, 3, bias=bias)
        return Concat()(
            conv(x, self.one, 1, "one", bias=bias),
            conv(conv(x, self.three_reduce, 1, bias=bias), self.three, 3, "three", bias=bias),
            conv(double, self.double, 3, "twice", bias=bias),
            conv(pool(x, name="pool"), self.pool, 1, "projection", bias=bias),
        )

    def class_name(self, *inputs: Shape) -> str:
        return "FactorizedInception" if self.pooling == "mean" else "MaxFactorizedInception"


@dataclass(frozen=True)
class InceptionReduction(Primitive):
    """The grid halved by a 3x3, two 3x3 and a pooling side by side (Szegedy et al. 2016, fig. 10).

    With `padding` 0 a grid of 35 becomes 17; with 1, a grid of 28 becomes 14.
    """

    three_reduce: Width
    three: Width
    double_reduce: Width
    double: Width
    padding: Literal[0, 1] = 0
    bias: bool = False

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        bias, padding = self.bias, self.padding
        double = conv(conv(x, self.double_reduce, 1, bias=bias), self.double, 3, bias=bias)
        return Concat()(
            halved(conv(x, self.three_reduce, 1, bias=bias), self.three, "three", padding, bias),
            halved(double, self.double, "twice", padding, bias),
            MaxPool(3, 2, padding=padding)(x, name="pool"),
        )


def halved(x: Value, width: int, name: str, padding: int = 0, bias: bool = False) -> Value:
    """Return the output of a 3x3 unit at stride 2."""
    return ConvUnit(width, 3, 2, padding=padding, bias=bias, epsilon=EPSILON)(x, name=name)
