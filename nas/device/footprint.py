"""What a network takes on a microcontroller, counted before training: RAM and flash, in bytes.

Counts are of the network in 8-bit integers, run by TensorFlow Lite Micro with its reference kernels.
"""

from functools import lru_cache
from typing import NamedTuple

from nas.device.bookkeeping import bookkeeping_bound, preparation_bound
from nas.device.conversion import integer_graph
from nas.device.file_layout import file_size
from nas.device.integer_graph import IntegerGraph
from nas.device.memory_plan import arena_head, plan_memory
from nas.genome.graph import Graph

KEPT = 16_384  # networks whose counts are kept


class Footprint(NamedTuple):
    """Bytes of a network on a microcontroller: see `activation_ram`, `ram` and `flash`."""

    activation_ram: int
    ram: int
    flash: int


def footprint(graph: Graph) -> Footprint:
    """Return what a network takes, without its auxiliary heads.

    Raises DeviceError, which names the layer, where the runtime lacks an operation.
    """
    return Footprint(activation_ram(graph), ram(graph), flash(graph))


def activation_ram(graph: Graph) -> int:
    """Return the bytes of activations, exactly as the runtime plans them. Raises DeviceError as `footprint`."""
    return _ram(graph)[0]


def ram(graph: Graph) -> int:
    """Return the bytes of an arena in which a network runs: the plan and an upper bound of the runtime's structures.

    Raises DeviceError as `footprint`.
    """
    return _ram(graph)[1]


@lru_cache(KEPT)
def flash(graph: Graph) -> int:
    """Return the bytes of the .tflite file, exactly; the code of the runtime is not in it. Raises DeviceError."""
    return file_size(_integers(graph))


def constant_bytes(graph: Graph) -> int:
    """Return the bytes of weights, biases and other constants in the file. Raises DeviceError as `footprint`."""
    return sum([tensor.size for tensor in _integers(graph).tensors if tensor.content is not None])


@lru_cache(KEPT)
def _ram(graph: Graph) -> tuple[int, int]:
    integers = _integers(graph)
    plan = plan_memory(integers)
    head = arena_head(plan)
    return head, max(head, preparation_bound(integers, plan)) + bookkeeping_bound(integers)


@lru_cache(256)
def _integers(graph: Graph) -> IntegerGraph:
    return integer_graph(graph)
