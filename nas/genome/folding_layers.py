"""Layers that train as several branches, which fold into one layer for evaluation and export."""

from dataclasses import dataclass

from nas.genome.graph import Shape
from nas.genome.hyperparameters import Count, Width
from nas.genome.layers import Conv
from nas.genome.op_kinds import Call, Layer, SlidingWindow


@dataclass(frozen=True)
class RepConv(Layer):
    """A 3x3 convolution that trains as the sum of up to three branches (Ding et al. 2021, RepVGG, sections 3.2, 3.3).

    The branches are a 3x3 convolution, a 1x1 convolution and, where the shape stays the same, the input, each with its
    batch norm. At evaluation their sum is one 3x3 convolution with bias, and that is what is counted.
    """

    width: Width
    stride: Count = 1
    groups: Width = 1

    weighted = True
    torch_class_source = '''
class RepConv(nn.Module):
    """A 3x3 and a 1x1 convolution and, where the shape stays the same, the input, summed (Ding et al. 2021)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv3 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, groups=groups, bias=False)
        self.norm3 = nn.BatchNorm2d(out_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 1, stride, groups=groups, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        same = in_channels == out_channels and stride == 1
        self.norm0 = nn.BatchNorm2d(out_channels) if same else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm3(self.conv3(x)) + self.norm1(self.conv1(x))
        return y if self.norm0 is None else y + self.norm0(x)

    @torch.no_grad()
    def folded(self) -> dict[str, Tensor]:
        """Return the weight and the bias of the 3x3 convolution that computes the same at evaluation."""
        kernel = self.conv3.weight
        branches = [(kernel, self.norm3), (F.pad(self.conv1.weight, (1, 1, 1, 1)), self.norm1)]
        if self.norm0 is not None:
            branches.append((nn.init.dirac_(torch.empty_like(kernel), self.conv3.groups), self.norm0))
        weight = torch.zeros_like(kernel, dtype=torch.float64)
        bias = weight.new_zeros(len(weight))
        for branch, norm in branches:
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
            weight += branch.double() * scale[:, None, None, None]
            bias += norm.bias.double() - norm.running_mean.double() * scale
        return {"weight": weight.to(kernel.dtype), "bias": bias.to(kernel.dtype)}
'''

    def evaluated(self) -> Conv:
        """Return the convolution into which the branches fold."""
        return Conv(self.width, 3, self.stride, groups=self.groups, bias=True)

    def shape(self, *inputs: Shape) -> Shape:
        return self.evaluated().shape(*inputs)

    def sliding_window(self) -> SlidingWindow:
        return self.evaluated().sliding_window()

    def params(self, *inputs: Shape) -> int:
        return self.evaluated().params(*inputs)

    def macs(self, *inputs: Shape) -> int:
        return self.evaluated().macs(*inputs)

    def module(self, *inputs: Shape) -> Call:
        return self.evaluated().module(*inputs)

    def training_module(self, *inputs: Shape) -> Call:
        args = ("in_channels", inputs[0][0]), ("out_channels", self.width)
        return Call("RepConv", args, (("stride", self.stride, 1), ("groups", self.groups, 1)))
