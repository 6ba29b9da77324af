"""Networks of depthwise convolutions for phones: MobileNet, MobileNetV2, MnasNet."""

from collections.abc import Callable, Sequence
from functools import partial

from nas.genome.graph import Graph, Op, Value
from nas.genome.primitives.heads import GapHead
from nas.genome.primitives.mobile import DepthwiseSeparable, InvertedResidual
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.primitives.units import DepthwiseKernel
from nas.genome.task import Task

Stage = tuple[float, int, int, DepthwiseKernel, int]  # expansion, width, depth, kernel, stride

V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""Width and stride of each block (Howard et al. 2017, table 1)."""

V2: tuple[Stage, ...] = (
    (1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 32, 3, 3, 2), (6, 64, 4, 3, 2), (6, 96, 3, 3, 1), (6, 160, 3, 3, 2),
    (6, 320, 1, 3, 1),
)  # fmt: skip
"""Sandler et al. 2018, table 2."""

MNASNET: tuple[Stage, ...] = (
    (1, 16, 1, 3, 1), (3, 24, 3, 3, 2), (3, 40, 3, 5, 2), (6, 80, 3, 5, 2), (6, 96, 2, 3, 1), (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)  # fmt: skip
"""MnasNet-B1, which has no gates, as released."""


def rounded(channels: float, step: int = 8) -> int:
    """Return the nearest multiple of a step, or the next one if that is less by more than a tenth.

    Widths are rounded so in the released code of all mobile networks.
    """
    nearest = max(step, int(channels + step / 2) // step * step)
    return nearest if nearest >= 0.9 * channels else nearest + step


def mobilenet_v1(task: Task, multiplier: float = 1.0) -> Graph:
    """Depthwise separable convolutions, each width times the multiplier."""
    x = ConvUnit(int(32 * multiplier), 3, 2)(task.image())
    for width, stride in V1:
        x = DepthwiseSeparable(int(width * multiplier), stride=stride)(x)
    return Graph.of(GapHead(task.classes)(x))


def in_stages(x: Value, stages: Sequence[Stage], block: Callable[[int, float, DepthwiseKernel, int], Op]) -> Value:
    """Return the output of stages of blocks; the first block of each has its stride."""
    for expansion, width, depth, kernel, stride in stages:
        for i in range(depth):
            x = block(width, expansion, kernel, 1 if i else stride)(x)
    return x


def mobilenet_v2(task: Task, stages: Sequence[Stage] = V2, stride: int = 2) -> Graph:
    """Inverted residual blocks with linear bottlenecks; `stride` is that of the stem."""
    x = ConvUnit(32, 3, stride, activation="relu6")(task.image())
    x = ConvUnit(1280, 1, activation="relu6")(in_stages(x, stages, InvertedResidual))
    return Graph.of(GapHead(task.classes, dropout=0.2)(x))


def cifar_mobilenet_v2(task: Task) -> Graph:
    """MobileNetV2 on images of 32 pixels: no stride in the stem and of stage two (chenyaofo, pytorch-cifar-models)."""
    return mobilenet_v2(task, [(*stage[:4], 1) if stage[1] == 24 else stage for stage in V2], 1)


def mnasnet(task: Task, multiplier: float = 1.0) -> Graph:
    """Inverted residual blocks with ReLU, whose kernels and expansions were searched on a phone."""
    stages: list[Stage] = [(stage[0], rounded(stage[1] * multiplier), *stage[2:]) for stage in MNASNET]
    x = ConvUnit(rounded(32 * multiplier), 3, 2)(task.image())
    x = ConvUnit(1280, 1)(in_stages(x, stages, partial(InvertedResidual, activation="relu")))
    return Graph.of(GapHead(task.classes, dropout=0.2)(x))


NETWORKS = {
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v1_025": partial(mobilenet_v1, multiplier=0.25),
    "mobilenet_v2": mobilenet_v2,
    "cifar_mobilenet_v2": cifar_mobilenet_v2,
    "mnasnet0_5": partial(mnasnet, multiplier=0.5),
    "mnasnet1_0": mnasnet,
}
