"""Residual networks and their plain counterparts (He et al. 2015); ResNeXt; wide residual networks; a tiny one."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from nas.genome.activations import Relu
from nas.genome.channel_layers import same_padding
from nas.genome.graph import Graph, Value
from nas.genome.layers import Conv
from nas.genome.norms import BatchNorm
from nas.genome.primitives.heads import GapHead
from nas.genome.primitives.residual import BasicBlock, Bottleneck, Shortcut
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.primitives.stems import ImageNetStem, Stem
from nas.genome.primitives.units import Activation
from nas.genome.task import Task


def resnet(task: Task, depths: Sequence[int], shortcut: Shortcut = "B") -> Graph:
    """Basic blocks in four stages (table 1); shortcut "none" gives the plain network."""
    x = ImageNetStem(64)(task.image())
    for stage, depth in enumerate(depths):
        for i in range(depth):
            x = BasicBlock(64 << stage, 2 if stage and not i else 1, shortcut)(x)
    return Graph.of(GapHead(task.classes)(x))


def deep_resnet(task: Task, depths: Sequence[int], stride_on: Literal["1x1", "3x3"] = "1x1") -> Graph:
    """Bottleneck blocks in four stages (table 1); stride on the 3x3 is version 1.5."""
    x = ImageNetStem(64)(task.image())
    for stage, depth in enumerate(depths):
        for i in range(depth):
            x = Bottleneck(64 << stage, 2 if stage and not i else 1, stride_on=stride_on)(x)
    return Graph.of(GapHead(task.classes)(x))


def cifar_resnet(task: Task, depth: int, shortcut: Shortcut = "A") -> Graph:
    """6n + 2 layers on small images: widths 16, 32, 64, parameter-free shortcuts (section 4.2)."""
    x = Stem(16)(task.image())
    for stage in range(3):
        for i in range((depth - 2) // 6):
            x = BasicBlock(16 << stage, 2 if stage and not i else 1, shortcut)(x)
    return Graph.of(GapHead(task.classes)(x))


def resnext(task: Task, depths: Sequence[int], groups: int, group_width: int) -> Graph:
    """Bottleneck blocks with grouped 3x3 convolutions (Xie et al. 2017, table 1)."""
    x = ImageNetStem(64)(task.image())
    for stage, depth in enumerate(depths):
        width = groups * group_width << stage
        for i in range(depth):
            x = Bottleneck(width, 2 if stage and not i else 1, (256 << stage) // width, groups=groups)(x)
    return Graph.of(GapHead(task.classes)(x))


def wide_resnet(task: Task, depth: int, factor: int) -> Graph:
    """6n + 4 layers on small images: pre-activation, widths 16, 32, 64 times `factor` (Zagoruyko & Komodakis 2016)."""
    x = Conv(16, 3)(task.image())
    for stage in range(3):
        for i in range((depth - 4) // 6):
            x = BasicBlock(16 * factor << stage, 2 if stage and not i else 1, order="pre")(x)
    return Graph.of(GapHead(task.classes)(Relu()(BatchNorm()(x))))


def mlperf_tiny_resnet(task: Task) -> Graph:
    """The Keras network of MLPerf Tiny (Banbury et al. 2021): with biases, its projections without batch norm."""
    x = _keras_unit(task.image(), 16)
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        y = _keras_unit(_keras_unit(x, width, stride), width, activation="none")
        x = Relu()(y + (Conv(width, 1, stride, bias=True)(x) if stride > 1 else x))
    return Graph.of(GapHead(task.classes)(x))


def _keras_unit(x: Value, width: int, stride: int = 1, activation: Activation = "relu") -> Value:
    zeros = same_padding(x.shape, 3, stride) if stride > 1 else None
    unit = ConvUnit(width, 3, stride, padding=0 if zeros else 1, bias=True, activation=activation, epsilon=1e-3)
    return unit(zeros(x) if zeros else x)


NETWORKS = {
    "resnet18": partial(resnet, depths=(2, 2, 2, 2)),
    "resnet34": partial(resnet, depths=(3, 4, 6, 3)),
    "resnet50": partial(deep_resnet, depths=(3, 4, 6, 3)),
    "resnet50_v1.5": partial(deep_resnet, depths=(3, 4, 6, 3), stride_on="3x3"),
    "resnet101": partial(deep_resnet, depths=(3, 4, 23, 3)),
    "resnet101_v1.5": partial(deep_resnet, depths=(3, 4, 23, 3), stride_on="3x3"),
    "resnet152": partial(deep_resnet, depths=(3, 8, 36, 3)),
    "resnet152_v1.5": partial(deep_resnet, depths=(3, 8, 36, 3), stride_on="3x3"),
    "resnet18_optA": partial(resnet, depths=(2, 2, 2, 2), shortcut="A"),
    "plain18": partial(resnet, depths=(2, 2, 2, 2), shortcut="none"),
    "resnet34_optA": partial(resnet, depths=(3, 4, 6, 3), shortcut="A"),
    "plain34": partial(resnet, depths=(3, 4, 6, 3), shortcut="none"),
    **{f"cifar_resnet{depth}": partial(cifar_resnet, depth=depth) for depth in (20, 32, 44, 56, 110, 1202)},
    **{f"cifar_plain{depth}": partial(cifar_resnet, depth=depth, shortcut="none") for depth in (20, 32, 44, 56, 110)},
    "resnext50_32x4d": partial(resnext, depths=(3, 4, 6, 3), groups=32, group_width=4),
    "wide_resnet28_10": partial(wide_resnet, depth=28, factor=10),
    "wide_resnet40_2": partial(wide_resnet, depth=40, factor=2),
    "resnet8": mlperf_tiny_resnet,
}
