"""A network in 8-bit integers: scales from the values that it has on given images, and integer constants.

Activations have one scale and zero point per tensor, from their least and largest value. Weights have no zero point:
one scale per channel in convolutions and one per tensor in fully connected operations, as the specification of
TensorFlow Lite asks (Jacob et al. 2018).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.device.fixed_point import HIGHEST, LOWEST, Integers, round_half_away
from nas.device.float_constants import Array, LayerWeights, float_constants
from nas.device.float_run import run_float
from nas.device.integer_graph import FIXED_SCALE, KEEPS_SCALE, IntegerGraph, IntegerOp
from nas.device.tflite_file import tflite_bytes

BATCH = 64  # images in real numbers at a time
MAX_BIAS = 2.0**30  # in units of its scale: the accumulator has 31 bits
LEAST_RATIO = 2.0**-17  # of the scale of a sum to the scales of what is added, which the runtime needs

Scales = NDArray[np.float32]


@dataclass(frozen=True)
class QuantizedNetwork:
    """An integer graph with its numbers, each by tensor.

    scale, zero_point: one number, or one per channel; of tensors that are quantized. constants: int8 and int32 arrays.
    """

    graph: IntegerGraph
    scale: dict[int, Scales]
    zero_point: dict[int, Integers]
    constants: dict[int, NDArray[np.int8] | NDArray[np.int32]]

    def data(self, tensor: int) -> NDArray[np.int8] | NDArray[np.int32]:
        """Return the numbers of a constant."""
        return self.constants[tensor]

    def scales(self, tensor: int) -> Scales:
        """Return the scales of a tensor."""
        return self.scale[tensor]

    def zero_points(self, tensor: int) -> Integers:
        """Return the zero points of a tensor."""
        return self.zero_point[tensor]

    def to_tflite(self) -> bytes:
        """Return the network as the bytes of a .tflite file."""
        return tflite_bytes(self.graph, self)

    def quantize_images(self, images: Array) -> NDArray[np.int8]:
        """Return images (images, channels, height, width) as the network reads them: int8, channels last."""
        last = images.transpose(0, 2, 3, 1) if images.ndim == 4 else images
        return _quantized(last, self.scale[0][0], self.zero_point[0][0])


def quantize(graph: IntegerGraph, weights: LayerWeights, images: Array) -> QuantizedNetwork:
    """Return a network in integers, its ranges those of `images`: real numbers as the network is given them.

    Raises DeviceError when the weights are not those of the graph.
    """
    constants = float_constants(graph, weights)
    return quantize_constants(graph, constants, *activation_scales(graph, constants, images))


def activation_scales(
    graph: IntegerGraph, constants: dict[int, Array], images: Array
) -> tuple[dict[int, Scales], dict[int, Integers]]:
    """Return scale and zero point of each activation by tensor, its range that of `images`."""
    return _scales_of_ranges(graph, _ranges(graph, constants, images))


def quantize_constants(
    graph: IntegerGraph, constants: dict[int, Array], scale: dict[int, Scales], zero_point: dict[int, Integers]
) -> QuantizedNetwork:
    """Return a network in integers from constants in real numbers and the scales of its activations."""
    network = QuantizedNetwork(graph, dict(scale), dict(zero_point), {})
    for op in graph.ops:
        _add_constants(network, op, constants)
    return network


Range = tuple[float, float]


def _ranges(graph: IntegerGraph, constants: dict[int, Array], images: Array) -> dict[int, Range]:
    """Return the least and the largest value of each activation."""
    found: dict[int, Range] = {}
    for start in range(0, len(images), BATCH):
        for tensor, values in run_float(graph, constants, images[start : start + BATCH]):
            finite = values[np.isfinite(values)]
            before = found.get(tensor, (0.0, 0.0))
            found[tensor] = min(before[0], float(finite.min(initial=0))), max(before[1], float(finite.max(initial=0)))
    return found


def _scales_of_ranges(graph: IntegerGraph, ranges: dict[int, Range]) -> tuple[dict[int, Scales], dict[int, Integers]]:
    """Return scale and zero point of each activation; tensors between which elements only move have the same."""
    group = _groups(graph)
    joined: dict[int, Range] = {}
    for tensor, (low, high) in ranges.items():
        lowest, highest = joined.get(group[tensor], (0.0, 0.0))
        joined[group[tensor]] = min(low, lowest), max(high, highest)
    known = {name: scale_of_range(*limits) for name, limits in joined.items()}
    for op in graph.ops:
        if op.code in FIXED_SCALE:
            scale, zero_point = FIXED_SCALE[op.code]
            known[group[op.output]] = np.float32(scale), zero_point
    for op in graph.ops:
        _raise_scale(op, group, known)
    scales = {tensor: np.array([known[name][0]], np.float32) for tensor, name in group.items()}
    return scales, {tensor: np.array([known[name][1]], np.int64) for tensor, name in group.items()}


def _groups(graph: IntegerGraph) -> dict[int, int]:
    """Return for each activation, and each constant that is padding, the first tensor that must have its scale."""
    group = {i: i for i, tensor in enumerate(graph.tensors) if tensor.content is None}
    for op in graph.ops:
        if op.code in KEEPS_SCALE:
            padding = op.inputs[2:] if op.code == "PADV2" else ()
            group.update({i: i for i in padding if i not in group})
            tied = {group[i] for i in (*op.inputs, op.output) if i in group}
            group.update({i: min(tied) for i, name in group.items() if name in tied})
    return group


Known = dict[int, tuple[np.float32, int]]


def _raise_scale(op: IntegerOp, group: dict[int, int], known: Known) -> None:
    """Raise the scale of an output that is so small beside its inputs that the runtime refuses it."""
    if op.code not in ("ADD", "HARD_SWISH"):
        return
    largest = max(float(known[group[i]][0]) for i in op.inputs if i in group)
    least = largest * (LEAST_RATIO if op.code == "ADD" else 1 / 127)
    scale, zero_point = known[group[op.output]]
    if scale < least:
        known[group[op.output]] = np.float32(least), zero_point


def scale_of_range(low: float, high: float) -> tuple[np.float32, int]:
    """Return the scale and zero point of numbers from low to high, of which 0 is one."""
    if low == high:
        return np.float32(1), 0
    scale = np.float32((high - low) / (HIGHEST - LOWEST))
    if scale == 0:
        return np.float32(1), 0
    return scale, int(np.clip(np.round(LOWEST - low / float(scale)), LOWEST, HIGHEST))


def _quantized(values: Array, scale: np.float32, zero_point: int) -> NDArray[np.int8]:
    return np.clip(round_half_away(values / float(scale)) + zero_point, LOWEST, HIGHEST).astype(np.int8)


def _add_constants(network: QuantizedNetwork, op: IntegerOp, constants: dict[int, Array]) -> None:
    """Add the constants of an operation to a network, with their scales and zero points."""
    if op.code in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        _quantize_weights(network, op, constants)
        return
    for index in op.inputs:
        tensor = network.graph.tensors[index]
        if isinstance(tensor.content, tuple):
            whole = np.array(tensor.content, np.int32)
            network.constants[index] = whole.astype(np.int8) if tensor.type == "INT8" else whole
        elif index in constants:
            values = constants[index]
            scale, zero_point = scale_of_range(min(0.0, float(values.min())), max(0.0, float(values.max())))
            network.scale[index] = np.array([scale], np.float32)
            network.zero_point[index] = np.array([zero_point], np.int64)
            network.constants[index] = _quantized(values, scale, zero_point)


def _quantize_weights(network: QuantizedNetwork, op: IntegerOp, constants: dict[int, Array]) -> None:
    source, kernel_index, bias_index = op.inputs
    tensor, kernel, bias = network.graph.tensors[kernel_index], constants[kernel_index], constants[bias_index]
    shape = [1] * kernel.ndim
    shape[tensor.axis] = tensor.scales
    per_channel = kernel if tensor.scales == 1 else np.moveaxis(kernel, tensor.axis, 0).reshape(tensor.scales, -1)
    largest = np.abs(per_channel).reshape(tensor.scales, -1).max(axis=1)
    image = float(network.scale[source][0])
    shift = np.abs(bias) if tensor.scales > 1 else np.abs(bias).max(keepdims=True)
    scale = np.maximum(np.maximum(largest / HIGHEST, shift / image / MAX_BIAS), np.finfo(np.float32).tiny)
    scale = np.where(largest + shift == 0, 1.0, scale).astype(np.float32)
    network.scale[kernel_index] = scale
    network.zero_point[kernel_index] = np.zeros(tensor.scales, np.int64)
    whole = round_half_away(kernel / scale.astype(np.float64).reshape(shape))
    network.constants[kernel_index] = np.clip(whole, -HIGHEST, HIGHEST).astype(np.int8)
    units = image * scale.astype(np.float64)
    network.scale[bias_index] = units.astype(np.float32)
    network.zero_point[bias_index] = np.zeros(tensor.scales, np.int64)
    network.constants[bias_index] = round_half_away(bias / units).astype(np.int32)
