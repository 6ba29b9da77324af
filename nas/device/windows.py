"""How torch's padding is written for a runtime that knows only "VALID" and "SAME".

torch pads both sides alike. TensorFlow's SAME pads as much as the last window needs, the smaller half in front: at
stride 2 and an even size that is another place. Where the two differ, a PAD operation with torch's padding comes first
and the window slides over its result without padding. The values would differ otherwise, while all shapes are right.
"""

from typing import NamedTuple

from nas.genome.graph import Shape
from nas.genome.layers import pair
from nas.genome.op_kinds import SlidingWindow

Pads = tuple[tuple[int, int], tuple[int, int]]
"""Zeros before and after the rows and the columns."""
NO_PADS: Pads = ((0, 0), (0, 0))


class Axis(NamedTuple):
    """One axis of a sliding window: sizes in pixels, `span` that of the window, dilation included.

    before: zeros in front of the image.
    """

    size: int
    span: int
    stride: int
    before: int
    output: int

    @property
    def overhang(self) -> int:
        """Return how far the last window reaches beyond the image."""
        return (self.output - 1) * self.stride + self.span - self.size - self.before

    @property
    def is_valid(self) -> bool:
        """Return whether the window slides like this without padding."""
        return not self.before and self.output == -(-(self.size - self.span + 1) // self.stride)

    @property
    def is_same(self) -> bool:
        """Return whether TensorFlow's SAME is this padding."""
        total = max((self.output - 1) * self.stride + self.span - self.size, 0)
        return self.output == -(-self.size // self.stride) and total // 2 == self.before


def axes(image: Shape, output: Shape, window: SlidingWindow, zeros: Pads = NO_PADS) -> tuple[Axis, Axis]:
    """Return the axes of a window over a (channels, height, width) image that already has `zeros` around it."""
    first, second = [
        Axis(size - sum(border), span, stride, padding + border[0], out)
        for size, out, span, stride, padding, border in zip(
            image[1:], output[1:], *map(pair, window), zeros, strict=True
        )
    ]
    return first, second


def pads(rows: Axis, columns: Axis) -> Pads:
    """Return what a PAD operation adds so that the windows slide as torch's do."""
    return (rows.before, max(rows.overhang, 0)), (columns.before, max(columns.overhang, 0))
