"""Residual networks and their plain counterparts (He et al. 2015)."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from nas.genome.graph import Graph
from nas.genome.primitives.heads import GapHead
from nas.genome.primitives.residual import BasicBlock, Bottleneck, Shortcut
from nas.genome.primitives.stems import ImageNetStem, Stem
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
}
