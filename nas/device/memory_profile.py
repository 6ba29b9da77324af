"""What is in the arena while each operation runs, and where the peak of activation RAM stands."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from nas.device.conversion import integer_graph
from nas.device.integer_graph import IntegerGraph
from nas.device.memory_plan import PlacedBuffer, plan_memory
from nas.genome.graph import Graph, Shape

IMAGE = "image"  # what the tensor of the image is called
SCRATCH = "scratch memory"


class ArenaTensor(NamedTuple):
    """A tensor in the arena: the layer that makes it, its shape with channels last, and where it lies.

    layer: `IMAGE` for the image. shape: empty for the scratch memory of an operation.
    """

    layer: str
    shape: Shape
    place: PlacedBuffer

    @property
    def extent(self) -> str:
        """Return the shape as `8x8x16`, or `SCRATCH`."""
        return "x".join(map(str, self.shape)) or SCRATCH


class MemoryStep(NamedTuple):
    """An operation, the layer it comes from in the lowered graph, and the tensors that are in the arena meanwhile."""

    layer: str
    code: str
    tensors: tuple[ArenaTensor, ...]

    @property
    def size(self) -> int:
        """Return the bytes of the tensors."""
        return sum([tensor.place.size for tensor in self.tensors])

    @property
    def end(self) -> int:
        """Return the offset of the first byte behind all of them."""
        return max(tensor.place.end for tensor in self.tensors)


@dataclass(frozen=True)
class MemoryProfile:
    """The arena over the operations of a network, in the order in which they run. tensors: in order of their offset."""

    steps: tuple[MemoryStep, ...]
    tensors: tuple[ArenaTensor, ...]

    @cached_property
    def arena(self) -> int:
        """Return the bytes of activations: `activation_ram`."""
        return max(tensor.place.end for tensor in self.tensors)

    @cached_property
    def peak(self) -> int:
        """Return the step where the peak stands: of those that reach the end of the arena, the one of most bytes."""
        sizes = [step.size if step.end == self.arena else -1 for step in self.steps]
        return sizes.index(max(sizes))


def memory_profile(graph: Graph) -> MemoryProfile:
    """Return the arena of a network over its operations, without its auxiliary heads.

    Raises DeviceError, which names the layer, where the runtime lacks an operation.
    """
    integers = integer_graph(graph)
    plan = plan_memory(integers)
    tensors = tuple(sorted([_named(integers, place) for place in plan], key=lambda tensor: tensor.place[:2]))
    steps = [
        MemoryStep(op.layer, op.code, tuple([each for each in tensors if each.place.first <= step <= each.place.last]))
        for step, op in enumerate(integers.ops)
    ]
    return MemoryProfile(tuple(steps), tensors)


def _named(graph: IntegerGraph, place: PlacedBuffer) -> ArenaTensor:
    layer = graph.ops[place.first].layer if place.first >= 0 else IMAGE
    return ArenaTensor(layer, () if place.tensor is None else graph.tensors[place.tensor].shape[1:], place)
