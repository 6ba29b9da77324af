"""The first layers: from the image to the first feature maps."""

from dataclasses import dataclass

from nas.genome.graph import Value
from nas.genome.hyperparameters import Count, Width
from nas.genome.layers import MaxPool
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.units import unit


@dataclass(frozen=True)
class Stem(Primitive):
    """One 3x3 convolution at full resolution, for small images (He et al. 2015, section 4.2)."""

    width: Width
    stride: Count = 1

    role = "stem"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        return unit(x, self.width, 3, self.stride)


@dataclass(frozen=True)
class ImageNetStem(Primitive):
    """7x7 at stride 2, then 3x3 max-pooling at stride 2 (He et al. 2015, table 1)."""

    width: Width = 64

    role = "stem"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        return MaxPool(3, 2, padding=1)(unit(x, self.width, 7, 2))
