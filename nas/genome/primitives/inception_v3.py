"""The five modules of the released Inception-v3 (Szegedy et al. 2016, "Rethinking the Inception architecture").

The defaults are the released widths, which the paper does not give. C is its figure 6, E its figure 7.
"""

from dataclasses import dataclass
from typing import Literal

from nas.genome.graph import Value
from nas.genome.hyperparameters import Width
from nas.genome.layers import AvgPool, Concat, MaxPool
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.inception import conv, halved


def _pooled(x: Value, width: int) -> Value:
    return conv(AvgPool(3, 1, padding=1)(x, name="pool"), width, 1, "projection")


@dataclass(frozen=True)
class InceptionA(Primitive):
    """On the 35 x 35 grid: 1x1, 5x5, two 3x3 and a pooling (Szegedy et al. 2016; released with the 5x5 kept)."""

    pool: Width
    one: Width = 64
    five_reduce: Width = 48
    five: Width = 64
    double_reduce: Width = 64
    double: Width = 96

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        return Concat()(
            conv(x, self.one, 1, "one"),
            conv(conv(x, self.five_reduce, 1), self.five, 5, "five"),
            conv(conv(conv(x, self.double_reduce, 1), self.double, 3), self.double, 3, "twice"),
            _pooled(x, self.pool),
        )


@dataclass(frozen=True)
class InceptionB(Primitive):
    """35 x 35 to 17 x 17: a 3x3, two 3x3 and a pooling, all ending at stride 2 (Szegedy et al. 2016, fig. 10)."""

    three: Width = 384
    double_reduce: Width = 64
    double: Width = 96

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        return Concat()(
            halved(x, self.three, "three"),
            halved(conv(conv(x, self.double_reduce, 1), self.double, 3), self.double, "twice"),
            MaxPool(3, 2)(x, name="pool"),
        )


@dataclass(frozen=True)
class InceptionC(Primitive):
    """On the 17 x 17 grid: n x n filters as 1 x n and n x 1, once and twice (Szegedy et al. 2016, fig. 6).

    `inner` is the width between the factors, `out` that of each of the four branches.
    """

    inner: Width
    out: Width = 192
    n: Literal[3, 5, 7, 9] = 7

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        row, column, inner, out = (1, self.n), (self.n, 1), self.inner, self.out
        once = conv(conv(conv(x, inner, 1), inner, row), out, column, "once")
        twice = conv(conv(conv(x, inner, 1), inner, column), inner, row)
        twice = conv(conv(twice, inner, column), out, row, "twice")
        return Concat()(conv(x, out, 1, "one"), once, twice, _pooled(x, out))


@dataclass(frozen=True)
class InceptionD(Primitive):
    """17 x 17 to 8 x 8: a 3x3, a factorized n x n before another, and a pooling (Szegedy et al. 2016; released)."""

    reduce: Width = 192
    three: Width = 320
    n: Literal[3, 5, 7, 9] = 7

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        large = conv(conv(conv(x, self.reduce, 1), self.reduce, (1, self.n)), self.reduce, (self.n, 1))
        return Concat()(
            halved(conv(x, self.reduce, 1), self.three, "three"),
            halved(large, self.reduce, "large"),
            MaxPool(3, 2)(x, name="pool"),
        )


@dataclass(frozen=True)
class InceptionE(Primitive):
    """On the 8 x 8 grid: filter banks spread out over 1x3 and 3x1 side by side (Szegedy et al. 2016, fig. 7)."""

    one: Width = 320
    spread: Width = 384
    double_reduce: Width = 448
    pool: Width = 192

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        width = self.spread
        shallow = conv(x, width, 1, "shallow")
        deep = conv(conv(x, self.double_reduce, 1), width, 3, "deep")
        return Concat()(
            conv(x, self.one, 1, "one"),
            conv(shallow, width, (1, 3), "shallow_row"),
            conv(shallow, width, (3, 1), "shallow_column"),
            conv(deep, width, (1, 3), "deep_row"),
            conv(deep, width, (3, 1), "deep_column"),
            _pooled(x, self.pool),
        )
