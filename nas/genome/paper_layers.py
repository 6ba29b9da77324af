"""Layers that torch has no module for, each with the class that is written into the generated file."""

from dataclasses import dataclass
from math import prod

from nas.genome.graph import Shape
from nas.genome.hyperparameters import Count, Width, Window
from nas.genome.layers import image, pair, slide
from nas.genome.op_kinds import Call, Layer, SlidingWindow

# The maps of S2 that each of the sixteen maps of C3 reads (LeCun et al. 1998, table 1).
LENET_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip


@dataclass(frozen=True)
class ChannelPad(Layer):
    """Zero channels appended, up to `width`: the shortcut without parameters (He et al. 2015, option A)."""

    width: Width

    torch_class_source = '''
class ChannelPad(nn.Module):
    """Zero channels appended, up to `width` (He et al. 2015, section 3.3, option A)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 0, 0, 0, self.width - x.shape[1]))
'''

    def shape(self, *inputs: Shape) -> Shape:
        channels, rows, columns = image(self, *inputs)
        if channels > self.width:
            raise self.shape_error(f"`width` (={self.width}) must be at least the number of input channels", *inputs)
        return self.width, rows, columns

    def module(self, *inputs: Shape) -> Call:
        return Call("ChannelPad", (("width", self.width),))


@dataclass(frozen=True)
class PositionBias(Layer):
    """A separate bias for every channel and board position (Silver et al. 2016, methods)."""

    torch_class_source = '''
class PositionBias(nn.Module):
    """A separate bias for every channel and position (Silver et al. 2016, methods)."""

    def __init__(self, channels: int, rows: int, columns: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(channels, rows, columns))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias
'''

    def shape(self, *inputs: Shape) -> Shape:
        return image(self, *inputs)

    def params(self, *inputs: Shape) -> int:
        return prod(inputs[0])

    def module(self, *inputs: Shape) -> Call:
        roles = ("channels", "rows", "columns")
        return Call("PositionBias", tuple(zip(roles, inputs[0], strict=True)))


@dataclass(frozen=True)
class ChannelScale(Layer):
    """A trainable coefficient and bias per channel: LeNet-5's subsampling (LeCun et al. 1998, section II.B)."""

    torch_class_source = '''
class ChannelScale(nn.Module):
    """A trainable coefficient and bias per channel (LeCun et al. 1998, section II.B)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(channels, 1, 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias
'''

    def shape(self, *inputs: Shape) -> Shape:
        return image(self, *inputs)

    def params(self, *inputs: Shape) -> int:
        return 2 * inputs[0][0]

    def module(self, *inputs: Shape) -> Call:
        return Call("ChannelScale", (("channels", inputs[0][0]),))


@dataclass(frozen=True)
class TableConv(Layer):
    """Sixteen maps, each a convolution of some of six input maps: LeNet-5's C3 (LeCun et al. 1998, table 1)."""

    kernel: Window = 5

    weighted = True
    torch_class_source = f'''
class TableConv(nn.Module):
    """Sixteen maps, each a convolution of some of six input maps (LeCun et al. 1998, table 1)."""

    TABLE = (
        {", ".join(str(maps) for maps in LENET_TABLE[:6])},
        {", ".join(str(maps) for maps in LENET_TABLE[6:11])},
        {", ".join(str(maps) for maps in LENET_TABLE[11:])},
    )

    def __init__(self, kernel: int | tuple[int, int]) -> None:
        super().__init__()
        self.table = [list(maps) for maps in self.TABLE]
        self.maps = nn.ModuleList(nn.Conv2d(len(maps), 1, kernel) for maps in self.table)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([conv(x[:, self.table[i]]) for i, conv in enumerate(self.maps)], 1)
'''

    def shape(self, *inputs: Shape) -> Shape:
        if image(self, *inputs)[0] != 6:
            raise self.shape_error("needs the six input maps of its table", *inputs)
        return len(LENET_TABLE), *slide(self, self.sliding_window(), inputs[0])

    def sliding_window(self) -> SlidingWindow:
        return SlidingWindow(self.kernel)

    def params(self, *inputs: Shape) -> int:
        return sum(len(maps) * prod(pair(self.kernel)) + 1 for maps in LENET_TABLE)

    def macs(self, *inputs: Shape) -> int:
        links = sum(len(maps) for maps in LENET_TABLE) * prod(pair(self.kernel))
        return links * prod(self.shape(*inputs)[1:])

    def module(self, *inputs: Shape) -> Call:
        return Call("TableConv", (("kernel", self.kernel),))


@dataclass(frozen=True)
class CodeDistance(Layer):
    """Minus the squared distance to a fixed +-1 code per class: LeNet-5's output (LeCun et al. 1998, section II.B).

    The paper's codes are pictures of digits, 7 x 12 pixels; it names random or error-correcting codes as the
    alternative. Here they are rows of a Walsh-Hadamard matrix. The layer has no trainable parameters.
    """

    classes: Count

    torch_class_source = '''
class CodeDistance(nn.Module):
    """Minus the squared distance to a fixed +-1 Walsh code per class (LeCun et al. 1998, section II.B)."""

    codes: Tensor

    def __init__(self, classes: int, features: int) -> None:
        super().__init__()
        codes = [[(-1.0) ** (k & i).bit_count() for i in range(features)] for k in range(1, classes + 1)]
        self.register_buffer("codes", torch.tensor(codes))

    def forward(self, x: Tensor) -> Tensor:
        return -(x[:, None] - self.codes).square().sum(2)
'''

    def shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 1:
            raise self.shape_error("needs features; flatten or pool the image first", *inputs)
        return (self.classes,)

    def module(self, *inputs: Shape) -> Call:
        return Call("CodeDistance", (("classes", self.classes), ("features", inputs[0][0])))
