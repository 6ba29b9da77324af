"""Layers that move, scale or border channels and compute no weighted sums."""

from dataclasses import dataclass
from typing import Annotated

from nas.errors import GenomeError
from nas.genome.graph import Shape
from nas.genome.hyperparameters import Limits, Padding, Positive, Width
from nas.genome.layers import Pair, image, pair
from nas.genome.op_kinds import Call, Layer, SlidingWindow


@dataclass(frozen=True)
class ChannelShuffle(Layer):
    """Channels in the order in which one of each group follows one of the next (Zhang et al. 2018, ShuffleNet, fig. 1).

    Of channels 0 to 5 in two groups: 0, 3, 1, 4, 2, 5, as torch.nn.ChannelShuffle gives them.
    """

    groups: Width = 2

    torch_class_source = '''
class ChannelShuffle(nn.Module):
    """One channel of each group after one of the next (Zhang et al. 2018, fig. 1)."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return torch.unflatten(x, 1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)
'''

    def shape(self, *inputs: Shape) -> Shape:
        return _divisible(self, "groups", self.groups, *inputs)

    def module(self, *inputs: Shape) -> Call:
        return Call("ChannelShuffle", (("groups", self.groups),))


@dataclass(frozen=True)
class ChannelSplit(Layer):
    """One of equal parts of the channels, counted from 0 (Ma et al. 2018, ShuffleNet V2, section 3.2; torch.chunk)."""

    parts: Annotated[int, Limits(2, 64)] = 2
    part: Annotated[int, Limits(0, 63)] = 0

    torch_class_source = '''
class ChannelSplit(nn.Module):
    """One of equal parts of the channels (torch.chunk)."""

    def __init__(self, parts: int, part: int) -> None:
        super().__init__()
        self.parts, self.part = parts, part

    def forward(self, x: Tensor) -> Tensor:
        return x.chunk(self.parts, 1)[self.part]
'''

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.part >= self.parts:
            raise GenomeError(f"ChannelSplit: `part` (={self.part}) must be less than `parts` (={self.parts})")

    def shape(self, *inputs: Shape) -> Shape:
        channels, rows, columns = _divisible(self, "parts", self.parts, *inputs)
        return channels // self.parts, rows, columns

    def module(self, *inputs: Shape) -> Call:
        return Call("ChannelSplit", (("parts", self.parts), ("part", self.part)))


def _divisible(op: Layer, field: str, parts: int, *inputs: Shape) -> Shape:
    shape = image(op, *inputs)
    if shape[0] % parts:
        raise op.shape_error(f"{shape[0]} channels must be divisible by `{field}` (={parts})", *inputs)
    return shape


@dataclass(frozen=True)
class LayerScale(Layer):
    """A trained factor per channel of a residual branch, small at first (Touvron et al. 2021, equation 3)."""

    start: Positive = 1e-6

    torch_class_source = '''
class LayerScale(nn.Module):
    """A trained factor per channel, small at first (Touvron et al. 2021, equation 3)."""

    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        self.start = start
        self.weight = nn.Parameter(torch.empty(channels, 1, 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, self.start)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight
'''

    def shape(self, *inputs: Shape) -> Shape:
        return image(self, *inputs)

    def params(self, *inputs: Shape) -> int:
        return inputs[0][0]

    def module(self, *inputs: Shape) -> Call:
        return Call("LayerScale", (("channels", inputs[0][0]), ("start", self.start)))


@dataclass(frozen=True)
class ZeroPad(Layer):
    """Rows and columns of zeros before and after an image, as many as each side needs (torch.nn.ZeroPad2d).

    Convolutions of TensorFlow at stride 2 pad more at the end than at the beginning; `same_padding` computes how much.
    """

    before: Padding = 0
    after: Padding = 0

    def shape(self, *inputs: Shape) -> Shape:
        channels, rows, columns = image(self, *inputs)
        (top, left), (bottom, right) = pair(self.before), pair(self.after)
        return channels, rows + top + bottom, columns + left + right

    def sliding_window(self) -> SlidingWindow:
        return SlidingWindow(padding=self.before)

    def module(self, *inputs: Shape) -> Call:
        (top, left), (bottom, right) = pair(self.before), pair(self.after)
        return Call("nn.ZeroPad2d", (("padding", (left, right, top, bottom)),))


def same_padding(shape: Shape, kernel: int | Pair, stride: int | Pair) -> ZeroPad | None:
    """Return the zeros that TensorFlow's "SAME" puts around an image before a window slides over it; None: no zeros.

    The output then has ceil(side / stride) rows and columns; of an odd number of zeros, one more is at the end. Raises
    ShapeError unless the shape is that of an image.
    """
    zeros = []
    for side, k, s in zip(image(ZeroPad(), shape)[1:], pair(kernel), pair(stride), strict=True):
        zeros.append(max(0, (-(-side // s) - 1) * s + k - side))
    (rows, columns) = zeros
    before, after = (rows // 2, columns // 2), (rows - rows // 2, columns - columns // 2)
    return ZeroPad(before, after) if rows or columns else None
