"""What the runtime keeps in its arena besides activations: an upper bound, from its structures on a 64-bit machine.

A microcontroller has pointers of half that size and needs less. The sizes are those of TensorFlow Lite Micro's
structures, rounded up; tests compare the bound with the runtime.
"""

from nas.device.integer_graph import IntegerGraph
from nas.device.memory_plan import PlacedBuffer

INTERPRETER = 800  # bytes that do not depend on the network
PER_TENSOR = 24
PER_OPERATION = 64
KERNEL = {
    "ADD": 80, "AVERAGE_POOL_2D": 80, "CONCATENATION": 96, "CONV_2D": 128, "DEPTHWISE_CONV_2D": 128,
    "FULLY_CONNECTED": 128, "HARD_SWISH": 48, "LOGISTIC": 32, "MAX_POOL_2D": 80, "MEAN": 80, "MUL": 64, "PAD": 80,
    "PADV2": 80, "PRELU": 48, "QUANTIZE": 48, "RELU": 48, "RELU6": 32, "RESHAPE": 48, "SLICE": 16, "TANH": 32,
    "TRANSPOSE": 64,
}  # fmt: skip
"""Bytes of the parameters of an operation's kernel."""
PER_CHANNEL = frozenset(("CONV_2D", "DEPTHWISE_CONV_2D"))
"""Kernels that keep a multiplier and a shift for each channel, in lists of whole 16 bytes."""


def bookkeeping_bound(graph: IntegerGraph) -> int:
    """Return an upper bound of the bytes that stay in the arena besides the plan: its tail."""
    kernels = sum([KERNEL[op.code] for op in graph.ops])
    channels = sum([2 * -(-4 * _scales(graph, op.inputs[1]) // 16) * 16 for op in graph.ops if op.code in PER_CHANNEL])
    return INTERPRETER + PER_TENSOR * len(graph.tensors) + PER_OPERATION * len(graph.ops) + kernels + channels


def preparation_bound(graph: IntegerGraph, plan: list[PlacedBuffer]) -> int:
    """Return an upper bound of the bytes that the runtime needs for a while beside its tail, before anything runs.

    To make the plan it lists all tensors and buffers; to prepare a convolution it copies the zero points of weights
    twice and of the bias once.
    """
    scratch = sum([buffer.tensor is None for buffer in plan])
    planning = 16 + 48 * scratch + 32 * len(graph.tensors) + 40 * len(plan)
    channels = max([_scales(graph, op.inputs[1]) for op in graph.ops if op.code in PER_CHANNEL], default=0)
    return max(planning, 12 * channels + 640)


def _scales(graph: IntegerGraph, tensor: int) -> int:
    return graph.tensors[tensor].scales
