"""The constants of integer operations as real numbers, from the weights of the network's layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.device.integer_graph import IntegerGraph, IntegerOp
from nas.errors import DeviceError
from nas.genome.graph import Node
from nas.genome.norms import BatchNorm

Array = NDArray[np.float64]
LayerWeights = Mapping[str, Mapping[str, NDArray[Any]]]
"""The arrays of each layer of the lowered graph, by the layer's name and then by torch's: weight, running_mean."""


def float_constants(graph: IntegerGraph, weights: LayerWeights) -> dict[int, Array]:
    """Return the constants that depend on weights, by tensor; norms are folded in. Raises DeviceError without them."""
    layers = {node.name: node for node in graph.lowered.nodes}
    found: dict[int, Array] = {}
    for op in graph.ops:
        for index in op.inputs:
            tensor = graph.tensors[index]
            if isinstance(tensor.content, str):
                try:
                    found[index] = _constant(op, tensor.content, layers, weights).reshape(tensor.shape)
                except (KeyError, ValueError) as problem:
                    raise DeviceError(f"{op.layer} has no weights that fit: {problem}") from None
            elif isinstance(tensor.content, float):
                found[index] = np.full(tensor.shape, tensor.content)
    return found


def _constant(op: IntegerOp, content: str, layers: Mapping[str, Node], weights: LayerWeights) -> Array:
    if content in ("weights", "bias"):
        kernel, bias = _folded(op, layers, weights)
        return _arranged(op, kernel) if content == "weights" else bias
    given = weights[op.layer]
    if content == "slopes":
        return _real(given["weight"])
    if "running_mean" in given or "weight" in given:
        gain, shift = _affine(layers[op.layer], given)
        return gain if content == "gain" else shift
    return _real(given["bias"]).transpose(1, 2, 0)  # of every position


def _folded(op: IntegerOp, layers: Mapping[str, Node], weights: LayerWeights) -> tuple[Array, Array]:
    """Return kernel and bias of a convolution or linear layer with the layers that scale and shift its channels."""
    kernel = _real(weights[op.layer]["weight"])
    bias = _real(weights[op.layer].get("bias", np.zeros(len(kernel))))
    for name in op.folded:
        gain, shift = _affine(layers[name], weights[name])
        kernel, bias = kernel * gain.reshape(-1, *(1,) * (kernel.ndim - 1)), bias * gain + shift
    return kernel, bias


def _affine(node: Node, given: Mapping[str, NDArray[Any]]) -> tuple[Array, Array]:
    """Return the factor and the addend of each channel of a layer at evaluation."""
    gain = _real(given["weight"]).reshape(-1)
    shift = _real(given["bias"]).reshape(-1) if "bias" in given else np.zeros_like(gain)
    if isinstance(node.op, BatchNorm):
        gain = gain / np.sqrt(_real(given["running_var"]) + node.op.epsilon)
        shift = shift - _real(given["running_mean"]) * gain
    return gain, shift


def _arranged(op: IntegerOp, kernel: Array) -> Array:
    """Return a kernel in the runtime's order, in which channels come last."""
    if op.code == "DEPTHWISE_CONV_2D":
        return kernel.transpose(1, 2, 3, 0)
    if op.code == "CONV_2D":
        return kernel.transpose(0, 2, 3, 1)
    return kernel.reshape(len(kernel), *op.flattened).transpose(0, 2, 3, 1) if op.flattened else kernel


def _real(values: NDArray[Any]) -> Array:
    return np.asarray(values, np.float64)
