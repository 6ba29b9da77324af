"""A quantized network computed in integers alone, bit for bit as TensorFlow Lite Micro's reference kernels do it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nas.device.fixed_point import HIGHEST, LOWEST, Integers, fixed_factor, rescale, round_half_away
from nas.device.integer_graph import IntegerOp
from nas.device.lookup_tables import hard_swish_table, sigmoid_table, tanh_table
from nas.device.quantize import QuantizedNetwork
from nas.device.sums import moved, pooled, weighted_sums

LEFT_SHIFT = 20  # of the operands of an addition


def run_integers(network: QuantizedNetwork, images: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the output for images as `quantize_images` gives them: int8, of (images, features) or channels last."""
    values: dict[int, Integers] = {0: images.astype(np.int64)}
    for op in network.graph.ops:
        read = {i: values[i] if i in values else network.constants[i].astype(np.int64) for i in op.inputs}
        values[op.output] = np.clip(_Kernel(network, op, read).output(), LOWEST, HIGHEST)
    return values[network.graph.output].astype(np.int8)


class _Kernel:
    """One operation on integers."""

    def __init__(self, network: QuantizedNetwork, op: IntegerOp, read: dict[int, Integers]) -> None:
        self.network, self.op = network, op
        self.operands = [read[i] for i in op.inputs]
        self.shape = network.graph.tensors[op.output].shape
        self.out_scale, self.out_zero = self.scale(op.output), self.zero(op.output)

    def scale(self, tensor: int) -> np.float32:
        return np.float32(self.network.scale[tensor][0])

    def zero(self, tensor: int) -> int:
        return int(self.network.zero_point[tensor][0])

    def centered(self, place: int) -> Integers:
        """Return an operand less its zero point."""
        return self.operands[place] - self.zero(self.op.inputs[place])

    def output(self) -> Integers:
        """Return the output, before it is cut to eight bits."""
        return self.activated(KERNELS[self.op.code](self))

    def activated(self, values: Integers) -> Integers:
        """Return values after the activation that is fused into the operation."""
        if self.op.activation == "NONE":
            return values
        high = HIGHEST
        if self.op.activation == "RELU6":
            high = min(high, self.out_zero + int(round_half_away(np.float32(6) / self.out_scale)))
        return np.clip(values, max(LOWEST, self.out_zero), high)

    def weighted(self) -> Integers:
        source, kernel, _ = self.op.inputs
        images, weights = self.centered(0).astype(np.float64), self.operands[1].astype(np.float64)
        sums = weighted_sums(self.op, images, weights, self.shape).astype(np.int64) + self.operands[2]
        scales = self.network.scale[kernel]
        if self.op.code == "FULLY_CONNECTED":
            product = (self.scale(source) * scales).astype(np.float64)
        else:
            product = float(self.scale(source)) * scales.astype(np.float64)
        return rescale(sums, fixed_factor(product / float(self.out_scale))) + self.out_zero

    def add(self) -> Integers:
        scales = [float(self.scale(i)) for i in self.op.inputs]
        double = 2 * max(scales)
        total = sum(
            rescale(self.centered(place) << LEFT_SHIFT, fixed_factor(scale / double))
            for place, scale in enumerate(scales)
        )
        return (
            rescale(np.asarray(total), fixed_factor(double / (2**LEFT_SHIFT * float(self.out_scale)))) + self.out_zero
        )

    def mul(self) -> Integers:
        first, second = (float(self.scale(i)) for i in self.op.inputs)
        factor = fixed_factor(first * second / float(self.out_scale))
        return rescale(self.centered(0) * self.centered(1), factor) + self.out_zero

    def prelu(self) -> Integers:
        first, second = (float(self.scale(i)) for i in self.op.inputs)
        out, values = float(self.out_scale), self.centered(0)
        below = rescale(values * self.centered(1), fixed_factor(first * second / out))
        return np.where(values >= 0, rescale(values, fixed_factor(first / out)), below) + self.out_zero

    def relu(self) -> Integers:
        factor = fixed_factor(float(self.scale(self.op.inputs[0]) / self.out_scale))
        return np.maximum(rescale(self.centered(0), factor) + self.out_zero, self.out_zero)

    def relu6(self) -> Integers:
        six = min(HIGHEST, self.out_zero + int(round_half_away(np.float32(6) / self.out_scale)))
        return np.clip(self.operands[0], self.out_zero, six)

    def rescaled(self) -> Integers:
        factor = fixed_factor(float(self.scale(self.op.inputs[0])) / float(self.out_scale))
        return rescale(self.centered(0), factor) + self.out_zero

    def mean(self) -> Integers:
        """Return means: the division is part of the factor, of which it takes the bits that are free."""
        values = self.centered(0)
        count = values.shape[1] * values.shape[2]
        multiplier, shift = fixed_factor(float(self.scale(self.op.inputs[0])) / float(self.out_scale))
        free = min(count.bit_length() - 1, 32, 31 + int(shift))
        factor = fixed_factor(0)._replace(multiplier=(multiplier << free) // count, shift=shift - free)
        return rescale(values.sum((1, 2)), factor).reshape(len(values), *self.shape[1:]) + self.out_zero

    def max_pool(self) -> Integers:
        return pooled(self.op, self.operands[0].astype(np.float64), self.shape, np.maximum, LOWEST).astype(np.int64)

    def average_pool(self) -> Integers:
        """Return means rounded to the nearest, halves away from zero."""
        values = self.operands[0].astype(np.float64)
        sums = pooled(self.op, values, self.shape, np.add, 0).astype(np.int64)
        counts = pooled(self.op, np.ones_like(values[:1]), self.shape, np.add, 0).astype(np.int64)
        found: Integers = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
        return found

    def concatenated(self) -> Integers:
        return np.concatenate(self.operands, axis=len(self.shape) - 1)

    def moved(self) -> Integers:
        constants = [operand.reshape(-1).tolist() for operand in self.operands[1:]]
        outside = LOWEST if self.op.code == "PADV2" else self.out_zero
        return moved(self.op, self.operands[0], self.shape, constants, outside)

    def looked_up(self) -> Integers:
        source = self.op.inputs[0]
        if self.op.code == "HARD_SWISH":
            table = hard_swish_table(self.scale(source), self.zero(source), self.out_scale, self.out_zero)
        else:
            make = sigmoid_table if self.op.code == "LOGISTIC" else tanh_table
            table = make(float(self.scale(source)), self.zero(source))
        found: Integers = table[self.operands[0] - LOWEST]
        return found


KERNELS: dict[str, Callable[[_Kernel], Integers]] = {
    "ADD": _Kernel.add,
    "AVERAGE_POOL_2D": _Kernel.average_pool,
    "CONCATENATION": _Kernel.concatenated,
    "CONV_2D": _Kernel.weighted,
    "DEPTHWISE_CONV_2D": _Kernel.weighted,
    "FULLY_CONNECTED": _Kernel.weighted,
    "HARD_SWISH": _Kernel.looked_up,
    "LOGISTIC": _Kernel.looked_up,
    "MAX_POOL_2D": _Kernel.max_pool,
    "MEAN": _Kernel.mean,
    "MUL": _Kernel.mul,
    "PAD": _Kernel.moved,
    "PADV2": _Kernel.moved,
    "PRELU": _Kernel.prelu,
    "QUANTIZE": _Kernel.rescaled,
    "RELU": _Kernel.relu,
    "RELU6": _Kernel.relu6,
    "RESHAPE": _Kernel.moved,
    "SLICE": _Kernel.moved,
    "TANH": _Kernel.looked_up,
    "TRANSPOSE": _Kernel.moved,
}
