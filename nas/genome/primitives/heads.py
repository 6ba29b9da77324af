"""The last layers: from feature maps to a score a class."""

from dataclasses import dataclass
from typing import Annotated

from nas.genome.fields import Limits, Rate, Width
from nas.genome.graph import Primitive, Value
from nas.genome.layers import Dropout, Flatten, GlobalPool, Linear, Relu

Hidden = Annotated[tuple[int, ...], Limits(1, 65_536)]


@dataclass(frozen=True)
class GapHead(Primitive):
    """Global average pooling, then one linear layer (Lin et al. 2013, section 3.2; He et al. 2015)."""

    classes: Width
    dropout: Rate = 0.0

    role = "head"

    def expand(self, *inputs: Value) -> Value:
        y = GlobalPool()(*inputs)
        return Linear(self.classes)(Dropout(self.dropout)(y) if self.dropout else y)


@dataclass(frozen=True)
class FcHead(Primitive):
    """The image flattened into hidden linear layers with dropout (Krizhevsky et al. 2012, section 3.5)."""

    classes: Width
    hidden: Hidden = (4096, 4096)
    dropout: Rate = 0.5

    role = "head"

    def expand(self, *inputs: Value) -> Value:
        y = Flatten()(*inputs)
        for width in self.hidden:
            y = Relu()(Linear(width)(y))
            y = Dropout(self.dropout)(y) if self.dropout else y
        return Linear(self.classes)(y)
