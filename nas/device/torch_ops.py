"""The operations of an integer graph on real numbers in torch, so that gradients pass through them.

They compute what `float_run` does on arrays. Images are channels last: a convolution reads them as such without a copy.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from nas.device.integer_graph import Activation, IntegerOp
from nas.genome.graph import Shape


class OpInputs(NamedTuple):
    """What an operation reads. values: activations, then constants that are real numbers. integers: other constants.

    output: the shape of the tensor that it makes.
    """

    op: IntegerOp
    values: list[Tensor]
    integers: list[tuple[int, ...]]
    output: Shape


def run_op(given: OpInputs) -> Tensor:
    """Return the output of an operation, its fused activation included: (images, features) or channels last."""
    return ACTIVATIONS[given.op.activation](OPERATIONS[given.op.code](given))


def _conv(given: OpInputs) -> Tensor:
    images, kernel, bias = given.values
    options = dict(given.op.options)
    steps = options["stride_h"], options["stride_w"]
    dilations = options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1)
    weights = kernel.permute((3, 0, 1, 2) if given.op.code == "DEPTHWISE_CONV_2D" else (0, 3, 1, 2))
    images = _padded(images, (weights.shape[2], weights.shape[3]), steps, dilations, given.output, 0.0)
    if weights.shape[2:] == (1, 1):  # see `safe_kernels`: torch's own gradient of these may write out of bounds
        images, steps = images[:, :, :: steps[0], :: steps[1]], (1, 1)
    groups = images.shape[1] // weights.shape[1]
    return F.conv2d(images, weights, bias, steps, 0, dilations, groups).permute(0, 2, 3, 1)


def _padded(
    images: Tensor, kernel: tuple[int, int], steps: tuple[int, int], dilations: tuple[int, int], output: Shape,
    outside: float,
) -> Tensor:  # fmt: skip
    """Return images with channels first and the padding that windows of this output need, as `sums.windows` has it."""
    images = images.permute(0, 3, 1, 2)
    totals = [
        max((out - 1) * step + dilation * (side - 1) + 1 - size, 0)
        for out, step, dilation, side, size in zip(output[1:3], steps, dilations, kernel, images.shape[2:], strict=True)
    ]
    rows, columns = totals
    border = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return F.pad(images, border, value=outside) if any(border) else images


def _linear(given: OpInputs) -> Tensor:
    features, kernel, bias = given.values
    return F.linear(features.flatten(1), kernel, bias)


def _pool_parts(given: OpInputs, images: Tensor, outside: float) -> tuple[Tensor, tuple[int, int], tuple[int, int]]:
    options = dict(given.op.options)
    kernel, steps = (options["filter_height"], options["filter_width"]), (options["stride_h"], options["stride_w"])
    return _padded(images, kernel, steps, (1, 1), given.output, outside), kernel, steps


def _max_pool(given: OpInputs) -> Tensor:
    return F.max_pool2d(*_pool_parts(given, given.values[0], -torch.inf)).permute(0, 2, 3, 1)


def _average_pool(given: OpInputs) -> Tensor:
    """Return means over the pixels of each window that are in the image."""
    (images,) = given.values
    means, inside = (F.avg_pool2d(*_pool_parts(given, each, 0.0)) for each in (images, torch.ones_like(images[:1])))
    return (means / inside).permute(0, 2, 3, 1)


def _mean(given: OpInputs) -> Tensor:
    (images,) = given.values
    return images.mean((1, 2)).reshape(len(images), *given.output[1:])


def _pad(given: OpInputs) -> Tensor:
    """Return the image with zeros around it, or with its lowest number, which no maximum over windows returns."""
    images, (border, *_) = given.values[0], given.integers
    outside = float(images.detach().min()) if given.op.code == "PADV2" else 0.0
    return F.pad(images, (*border[6:8], *border[4:6], *border[2:4]), value=outside)


def _slice(given: OpInputs) -> Tensor:
    rows, columns, channels = (
        slice(first, first + size) for first, size in zip(given.integers[0][1:], given.integers[1][1:], strict=True)
    )
    return given.values[0][:, rows, columns, channels]


ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {"NONE": lambda x: x, "RELU": F.relu, "RELU6": F.relu6}
OPERATIONS: dict[str, Callable[[OpInputs], Tensor]] = {
    "ADD": lambda given: given.values[0] + given.values[1],
    "AVERAGE_POOL_2D": _average_pool,
    "CONCATENATION": lambda given: torch.cat(given.values, -1),
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "FULLY_CONNECTED": _linear,
    "HARD_SWISH": lambda given: F.hardswish(given.values[0]),
    "LOGISTIC": lambda given: given.values[0].sigmoid(),
    "MAX_POOL_2D": _max_pool,
    "MEAN": _mean,
    "MUL": lambda given: given.values[0] * given.values[1],
    "PAD": _pad,
    "PADV2": _pad,
    "PRELU": lambda given: torch.where(given.values[0] >= 0, given.values[0], given.values[0] * given.values[1]),
    "QUANTIZE": lambda given: given.values[0],
    "RELU": lambda given: F.relu(given.values[0]),
    "RELU6": lambda given: F.relu6(given.values[0]),
    "RESHAPE": lambda given: given.values[0].reshape(len(given.values[0]), *given.output[1:]),
    "SLICE": _slice,
    "TANH": lambda given: given.values[0].tanh(),
    "TRANSPOSE": lambda given: given.values[0].permute(given.integers[0]),
}
