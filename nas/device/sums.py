"""The sums that operations compute over images and features, on arrays of numbers: real ones, or exact integers.

Arrays have images in front and channels last, and are float64: sums of 8-bit products are integers below 2^53, exact.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas.device.integer_graph import IntegerOp
from nas.genome.graph import Shape

Array = NDArray[np.float64]
Number = TypeVar("Number", np.float64, np.int64)


def weighted_sums(op: IntegerOp, images: Array, kernel: Array, output: Shape) -> Array:
    """Return the weighted sums of a convolution or a fully connected operation, without bias. output: its shape."""
    if op.code == "FULLY_CONNECTED":
        return images.reshape(len(images), -1) @ kernel.T
    options = dict(op.options)
    rows, columns = kernel.shape[1:3]
    found = np.zeros((len(images), *output[1:]))
    for i, j, patch in windows(images, (rows, columns), options, output, 0.0):
        if op.code == "DEPTHWISE_CONV_2D":
            found += np.repeat(patch, options["depth_multiplier"], axis=3) * kernel[0, i, j]
            continue
        taps = kernel[:, i, j].reshape(images.shape[3] // kernel.shape[3], -1, kernel.shape[3])  # by group of channels
        size, wide = kernel.shape[3], taps.shape[1]
        for group, weights in enumerate(taps):
            found[..., group * wide : (group + 1) * wide] += patch[..., group * size : (group + 1) * size] @ weights.T
    return found


def pooled(op: IntegerOp, images: Array, output: Shape, join: Callable[[Array, Array], Array], start: float) -> Array:
    """Return what joins the pixels of each window; those outside the image are `start`."""
    options = dict(op.options)
    found = np.full((len(images), *output[1:]), start)
    for _, _, patch in windows(images, (options["filter_height"], options["filter_width"]), options, output, start):
        found = join(found, patch)
    return found


def windows(
    images: Array, kernel: tuple[int, int], options: dict[str, int], output: Shape, outside: float
) -> Iterator[tuple[int, int, Array]]:
    """Yield each place of a window with the pixels that all windows have there. outside: of pixels that are padding."""
    steps = options["stride_h"], options["stride_w"]
    dilations = options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    totals = [
        max((out - 1) * step + span - size, 0)
        for out, step, span, size in zip(output[1:3], steps, spans, images.shape[1:3], strict=True)
    ]
    border = [(0, 0), *[(total // 2, total - total // 2) for total in totals], (0, 0)]
    padded = np.pad(images, border, constant_values=outside)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            (top, left), (down, across) = (i * dilations[0], j * dilations[1]), steps
            bottom, right = top + (output[1] - 1) * down + 1, left + (output[2] - 1) * across + 1
            yield i, j, padded[:, top:bottom:down, left:right:across]


def moved(op: IntegerOp, images: NDArray[Number], output: Shape, values: list[Any], outside: float) -> NDArray[Number]:
    """Return the elements of an operation that only moves them. values: of its constants; outside: of padding."""
    if op.code in ("PAD", "PADV2"):
        pairs = [(values[0][i], values[0][i + 1]) for i in range(0, 8, 2)]
        return np.pad(images, pairs, constant_values=outside)
    if op.code == "SLICE":
        ends = [slice(start, start + size) for start, size in zip(values[0][1:], values[1][1:], strict=True)]
        return images[:, ends[0], ends[1], ends[2]]
    if op.code == "TRANSPOSE":
        return images.transpose(values[0])
    return images.reshape(len(images), *output[1:])
