"""The integer graph in real numbers: what its tensors are before they are quantized."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from nas.device.integer_graph import Activation, IntegerGraph, IntegerOp
from nas.device.sums import Array, moved, pooled, weighted_sums

ACTIVATIONS: dict[Activation, Callable[[Array], Array]] = {
    "NONE": lambda x: x,
    "RELU": lambda x: np.maximum(x, 0),
    "RELU6": lambda x: np.clip(x, 0, 6),
}
ELEMENTWISE: dict[str, Callable[..., Array]] = {
    "ADD": np.add,
    "HARD_SWISH": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "LOGISTIC": lambda x: 0.5 * (1 + np.tanh(x / 2)),
    "MUL": np.multiply,
    "PRELU": lambda x, slopes: np.where(x >= 0, x, x * slopes),
    "QUANTIZE": lambda x: x,
    "RELU": ACTIVATIONS["RELU"],
    "RELU6": ACTIVATIONS["RELU6"],
    "TANH": np.tanh,
}


def run_float(graph: IntegerGraph, constants: Mapping[int, Array], images: Array) -> Iterator[tuple[int, Array]]:
    """Yield each activation with its index, as it is computed. images: (images, channels, height, width).

    Values that no later operation reads are dropped.
    """
    last = {tensor: step for step, op in enumerate(graph.ops) for tensor in op.inputs}
    values = {0: images.transpose(0, 2, 3, 1) if images.ndim == 4 else images}
    yield 0, values[0]
    for step, op in enumerate(graph.ops):
        values[op.output] = ACTIVATIONS[op.activation](_output(graph, op, values, constants))
        yield op.output, values[op.output]
        for tensor in set(op.inputs):
            if last[tensor] == step:
                values.pop(tensor, None)


def _output(graph: IntegerGraph, op: IntegerOp, values: Mapping[int, Array], constants: Mapping[int, Array]) -> Array:
    shape, read = graph.tensors[op.output].shape, [values.get(i, constants.get(i)) for i in op.inputs]
    first = values[op.inputs[0]]
    if op.code in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return weighted_sums(op, first, constants[op.inputs[1]], shape) + constants[op.inputs[2]]
    if op.code in ELEMENTWISE:
        return ELEMENTWISE[op.code](*read)
    if op.code == "CONCATENATION":
        return np.concatenate([values[i] for i in op.inputs], axis=len(shape) - 1)
    if op.code == "MAX_POOL_2D":
        return pooled(op, first, shape, np.maximum, -np.inf)
    if op.code == "AVERAGE_POOL_2D":
        return pooled(op, first, shape, np.add, 0.0) / pooled(op, np.ones_like(first[:1]), shape, np.add, 0.0)
    if op.code == "MEAN":
        means: Array = np.mean(first, (1, 2))
        return means.reshape(len(first), *shape[1:])
    return moved(
        op, first, shape, [graph.tensors[i].content for i in op.inputs[1:]], -np.inf if op.code == "PADV2" else 0.0
    )
