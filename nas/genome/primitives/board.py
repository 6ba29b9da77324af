"""The move predictor of AlphaGo: from a board to one logit per point (Silver et al. 2016, methods)."""

from dataclasses import dataclass

from nas.genome.graph import Value
from nas.genome.hyperparameters import Count, Width
from nas.genome.layers import Conv, Flatten
from nas.genome.op_kinds import Primitive
from nas.genome.paper_layers import PositionBias
from nas.genome.primitives.stacks import ConvStack, ConvUnit


@dataclass(frozen=True)
class BoardTrunk(Primitive):
    """One 5x5 convolution, then `depth` - 1 of 3x3, all at the board's size (Silver et al. 2016, methods)."""

    width: Width = 192
    depth: Count = 12

    role = "trunk"

    def expand(self, *inputs: Value) -> Value:
        y = ConvUnit(self.width, 5, norm=False)(*inputs, name="first")
        return ConvStack(self.width, self.depth - 1, norm=False)(y, name="rest") if self.depth > 1 else y


@dataclass(frozen=True)
class BoardHead(Primitive):
    """One 1x1 filter with a separate bias for each point of the board (Silver et al. 2016, methods)."""

    role = "head"

    def expand(self, *inputs: Value) -> Value:
        return Flatten()(PositionBias()(Conv(1, 1)(*inputs)))
