"""An integer graph while it is built: tensors and operations are added, and what can be is fused into the last one."""

from typing import NamedTuple

from nas.device.integer_graph import FIXED_SCALE, KEEPS_SCALE, Activation, IntegerOp, IntegerTensor, Options
from nas.device.shapes import image_shape
from nas.device.windows import NO_PADS, Pads
from nas.errors import DeviceError
from nas.genome.graph import Node, Shape

FOLDS = frozenset(("CONV_2D", "DEPTHWISE_CONV_2D"))
FUSES_ACTIVATION = FOLDS | {"ADD", "AVERAGE_POOL_2D", "FULLY_CONNECTED", "MAX_POOL_2D", "MUL"}
MAX_CONCATENATED = 10  # tensors that the runtime's CONCATENATION reads


class Stored(NamedTuple):
    """A value of the network: the tensor that holds it.

    is_flattened: whether that is an image whose elements are features. zeros: around the image, and not in the tensor.
    readers: number of layers that read the value.
    """

    tensor: int
    is_flattened: bool = False
    zeros: Pads = NO_PADS
    readers: int = 1


class IntegerGraphBuilder:
    """The tensors and operations so far."""

    def __init__(self) -> None:
        self.tensors: list[IntegerTensor] = []
        self.ops: list[IntegerOp] = []
        self.made_by: dict[int, int] = {}  # the operation that makes a tensor
        self.known: dict[IntegerTensor, int] = {}  # constants that do not depend on weights

    def activation(self, shape: Shape) -> int:
        """Add an activation and return its index."""
        self.tensors.append(IntegerTensor(shape))
        return len(self.tensors) - 1

    def constant(self, tensor: IntegerTensor) -> int:
        """Add a constant and return its index; equal ones that do not depend on weights are one tensor."""
        if tensor in self.known:
            return self.known[tensor]
        self.tensors.append(tensor)
        if isinstance(tensor.content, tuple):
            self.known[tensor] = len(self.tensors) - 1
        return len(self.tensors) - 1

    def integers(self, *values: int, shape: Shape | None = None) -> int:
        """Add whole numbers that an operation reads as they are, and return their index."""
        return self.constant(IntegerTensor((len(values),) if shape is None else shape, "INT32", values, scales=0))

    def add(
        self, node: Node, code: str, inputs: tuple[int, ...], shape: Shape, options: Options = (), flattened: Shape = ()
    ) -> int:
        """Add an operation and return the index of its output. shape: of the output, as of a tensor."""
        output = self.activation(shape)
        self.made_by[output] = len(self.ops)
        self.ops.append(IntegerOp(code, inputs, output, node.name, options, flattened=flattened))
        return output

    def fold(self, node: Node, value: Stored) -> bool:
        """Fold a layer that scales and shifts channels into the convolution before it; return whether that is done."""
        op = self._fusible(value)
        if op is None or op.code not in FOLDS or op.activation != "NONE":
            return False
        self.ops[self.made_by[value.tensor]] = op._replace(folded=(*op.folded, node.name))
        return True

    def fuse(self, value: Stored, activation: Activation) -> bool:
        """Fuse an activation into the operation before it; return whether that is done."""
        op = self._fusible(value)
        if op is None or op.code not in FUSES_ACTIVATION or op.activation != "NONE":
            return False
        self.ops[self.made_by[value.tensor]] = op._replace(activation=activation)
        return True

    def _fusible(self, value: Stored) -> IntegerOp | None:
        """Return the operation that makes a value, if one layer only reads it."""
        made = self.made_by.get(value.tensor)
        return None if made is None or value.readers > 1 else self.ops[made]

    def bordered(self, node: Node, value: Stored) -> Stored:
        """Return the value with its zeros in the tensor."""
        if value.zeros == NO_PADS:
            return value
        return value._replace(tensor=self.padded(node, value.tensor, value.zeros), zeros=NO_PADS)

    def padded(self, node: Node, tensor: int, pads: Pads, lowest: bool = False) -> int:
        """Return the tensor with zeros around the image, or with the lowest number; itself where there is nothing to
        add.
        """
        (top, bottom), (left, right) = pads
        if not any((top, bottom, left, right)):
            return tensor
        _, rows, columns, channels = self.tensors[tensor].shape
        inputs = (tensor, self.integers(0, 0, top, bottom, left, right, 0, 0, shape=(4, 2)))
        shape = (1, rows + top + bottom, columns + left + right, channels)
        if not lowest:
            return self.add(node, "PAD", inputs, shape)
        return self.add(node, "PADV2", (*inputs, self.constant(IntegerTensor((1,), content=(-128,)))), shape)

    def features(self, node: Node, value: Stored) -> int:
        """Return a tensor of (1, features) in torch's order, which is channel by channel."""
        if not value.is_flattened:
            return value.tensor
        tensor, image = value.tensor, image_shape(self.tensors[value.tensor].shape)
        if image[0] > 1 and image[1] * image[2] > 1:
            tensor = self.add(node, "TRANSPOSE", (tensor, self.integers(0, 3, 1, 2)), (1, *image))
        shape = (1, image[0] * image[1] * image[2])
        return self.add(node, "RESHAPE", (tensor, self.integers(*shape)), shape)

    def rescalable(self, node: Node, tensor: int) -> int:
        """Return a tensor whose scale is free, made by QUANTIZE where the runtime prescribes that of the given one."""
        source = tensor
        while (made := self.made_by.get(source)) is not None and self.ops[made].code in KEEPS_SCALE:
            source = self.ops[made].inputs[0]
        if made is None or self.ops[made].code not in FIXED_SCALE:
            return tensor
        return self.add(node, "QUANTIZE", (tensor,), self.tensors[tensor].shape)


def unsupported(node: Node, why: str) -> DeviceError:
    """Return the error for a layer that the runtime cannot compute."""
    shapes = ", ".join(map(str, node.placed.inputs))
    return DeviceError(f"{node.name} cannot run in 8-bit integers on the device: {node.op} on {shapes}: {why}")
