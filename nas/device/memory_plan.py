"""Where the runtime puts activations in its arena: the plan of TensorFlow Lite Micro's greedy planner, to the byte.

Every buffer lives from the operation that makes it to the last that reads it. Its size is rounded up to 16 bytes.
Buffers are placed by size, the largest first, of equal ones that of the higher index; each at the lowest gap between
the buffers already placed that live at the same time. Kernels may ask for scratch memory, which lives during one
operation and has indices behind those of all tensors. Sizes are those of the runtime's reference kernels.
"""

from collections.abc import Iterator
from typing import NamedTuple

from nas.device.integer_graph import IntegerGraph, IntegerOp

ALIGNMENT = 16


class PlacedBuffer(NamedTuple):
    """A buffer of the arena, from `offset` on, alive from operation `first` to `last`; the image is there from -1 on.

    tensor: its index; None for scratch memory.
    """

    offset: int
    size: int
    first: int
    last: int
    tensor: int | None

    @property
    def end(self) -> int:
        """Return the offset of the first byte behind it."""
        return self.offset + self.size


def plan_memory(graph: IntegerGraph) -> list[PlacedBuffer]:
    """Return all buffers of the arena in the order in which they are placed."""
    placed: list[PlacedBuffer] = []
    by_offset: list[PlacedBuffer] = []
    for size, first, last, tensor in _wanted(graph):
        offset = 0
        for other in by_offset:
            if other.first <= last and first <= other.last:
                if other.offset - offset >= size:
                    break
                offset = max(offset, other.end)
        buffer = PlacedBuffer(offset, size, first, last, tensor)
        placed.append(buffer)
        at = next((i for i, other in enumerate(by_offset) if other.offset > offset), len(by_offset))
        by_offset.insert(at, buffer)
    return placed


def arena_head(plan: list[PlacedBuffer]) -> int:
    """Return the bytes that a plan takes."""
    return max(buffer.end for buffer in plan)


def _wanted(graph: IntegerGraph) -> list[tuple[int, int, int, int | None]]:
    """Return size, first and last operation and tensor of each buffer, in the order of placing."""
    first, last = {0: -1}, {0: -1}
    for step, op in enumerate(graph.ops):
        first[op.output] = last[op.output] = step
        for tensor in op.inputs:
            if tensor in first:
                last[tensor] = step
    last[graph.output] = len(graph.ops) - 1
    buffers = [(_aligned(graph.tensors[i].size), first[i], last[i], i) for i in sorted(first)]
    scratch = [(_aligned(size), step, step, None) for step, op in enumerate(graph.ops) for size in _scratch(graph, op)]
    return sorted([*reversed(scratch), *reversed(buffers)], key=lambda buffer: -buffer[0])


def _scratch(graph: IntegerGraph, op: IntegerOp) -> Iterator[int]:
    """Yield the sizes of the scratch memory of an operation: MEAN has sums, positions and axes."""
    if op.code == "MEAN":
        yield 4 * graph.tensors[op.output].size
        yield 4 * len(graph.tensors[op.inputs[0]].shape)
        yield graph.tensors[op.inputs[1]].size


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
