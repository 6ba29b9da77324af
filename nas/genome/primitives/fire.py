"""The module of SqueezeNet (Iandola et al. 2016)."""

from dataclasses import dataclass

from nas.genome.graph import Value
from nas.genome.hyperparameters import Width
from nas.genome.layers import Concat
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.stacks import ConvUnit


@dataclass(frozen=True)
class Fire(Primitive):
    """A 1x1 to few channels, then 1x1 and 3x3 side by side (Iandola et al. 2016, SqueezeNet, fig. 1).

    Without batch norm as in the paper, or with `norm`.
    """

    reduce: Width
    one: Width
    three: Width
    norm: bool = False

    def expand(self, *inputs: Value) -> Value:
        y = ConvUnit(self.reduce, 1, norm=self.norm)(*inputs, name="squeeze")
        one = ConvUnit(self.one, 1, norm=self.norm)(y, name="one")
        return Concat()(one, ConvUnit(self.three, 3, norm=self.norm)(y, name="three"))
