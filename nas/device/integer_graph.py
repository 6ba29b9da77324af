"""A network as the fused integer operations of TensorFlow Lite: tensors by index, and operations in order.

Images are channels last, with a batch of one in front: (1, rows, columns, channels). Names and options of operations
are those of the TensorFlow Lite schema.
"""

from dataclasses import dataclass, field
from math import prod
from typing import Literal, NamedTuple

from nas.genome.graph import Graph, Shape

Activation = Literal["NONE", "RELU", "RELU6"]
DataType = Literal["INT8", "INT32"]
Options = tuple[tuple[str, int], ...]
"""The options of an operation by the schema's names."""
Content = str | float | tuple[int, ...] | None
"""What a constant holds: what of its layer's weights, one number, or integers as they are; None of an activation."""

BYTES: dict[DataType, int] = {"INT8": 1, "INT32": 4}
KEEPS_SCALE = frozenset((
    "AVERAGE_POOL_2D", "CONCATENATION", "MAX_POOL_2D", "PAD", "PADV2", "RELU6", "RESHAPE", "SLICE", "TRANSPOSE",
))  # fmt: skip
"""Operations whose output has the scale and zero point of their inputs."""
FIXED_SCALE = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
"""Operations whose output has the scale and zero point that the runtime prescribes."""


class IntegerTensor(NamedTuple):
    """A tensor: an activation, or a constant of the file.

    scales: number of its scales, 0 where it is not quantized. axis: along which they run.
    """

    shape: Shape
    type: DataType = "INT8"
    content: Content = None
    scales: int = 1
    axis: int = 0

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return prod(self.shape) * BYTES[self.type]


class IntegerOp(NamedTuple):
    """An operation: the indices of the tensors it reads, activations before constants, and of the one it makes.

    layer: the name of the layer it comes from in the lowered graph. folded: those of the layers after it that scale and
    shift channels and are part of its weights. flattened: of a fully connected operation, the (channels, height, width)
    of the image that it reads as features.
    """

    code: str
    inputs: tuple[int, ...]
    output: int
    layer: str
    options: Options = ()
    activation: Activation = "NONE"
    folded: tuple[str, ...] = ()
    flattened: Shape = ()


@dataclass(frozen=True)
class IntegerGraph:
    """Tensors by index, and operations in the order in which they run. Tensor 0 is the image.

    lowered: the graph of layers that it was made from.
    """

    tensors: tuple[IntegerTensor, ...]
    ops: tuple[IntegerOp, ...]
    output: int
    lowered: Graph = field(repr=False, compare=False)
