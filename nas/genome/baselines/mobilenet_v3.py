"""MobileNetV3 (Howard et al. 2019) and GhostNet (Han et al. 2020), which takes over its widths."""

from collections.abc import Sequence
from functools import partial

from nas.genome.baselines.mobile import rounded
from nas.genome.graph import Graph
from nas.genome.primitives.gates import ChannelGate
from nas.genome.primitives.ghost import GhostBottleneck
from nas.genome.primitives.heads import FcHead
from nas.genome.primitives.mobile import InvertedResidual
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.primitives.units import Activation, DepthwiseKernel
from nas.genome.task import Task

Row = tuple[DepthwiseKernel, int, int, bool, Activation, int]
"""Kernel, channels inside, width, whether it is gated, activation, stride."""

EPSILON = 1e-3  # as released for TensorFlow and in torchvision

LARGE: tuple[Row, ...] = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hardswish", 2),
    (3, 200, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 480, 112, True, "hardswish", 1),
    (3, 672, 112, True, "hardswish", 1),
    (5, 672, 160, True, "hardswish", 2),
    (5, 960, 160, True, "hardswish", 1),
    (5, 960, 160, True, "hardswish", 1),
)
"""Howard et al. 2019, table 1."""

SMALL: tuple[Row, ...] = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2),
    (5, 240, 40, True, "hardswish", 1),
    (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1),
    (5, 144, 48, True, "hardswish", 1),
    (5, 288, 96, True, "hardswish", 2),
    (5, 576, 96, True, "hardswish", 1),
    (5, 576, 96, True, "hardswish", 1),
)
"""Howard et al. 2019, table 2."""

GHOST: tuple[tuple[DepthwiseKernel, int, int, bool, int], ...] = (
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
)
"""Kernel, channels inside, width, gate and stride of each block (Han et al. 2020, section 3.2)."""


def gate_of(inner: int, gated: bool, step: int) -> tuple[ChannelGate, float]:
    """Return the gate and its channels as a share of those inside: a quarter, rounded to multiples of a step."""
    return ("hard se", round(rounded(inner / 4, step) / inner, 4)) if gated else ("none", 0.25)


def mobilenet_v3(task: Task, rows: Sequence[Row], hidden: int) -> Graph:
    """Inverted residual blocks, some gated, then a 1x1 convolution and two linear layers."""
    x = ConvUnit(16, 3, 2, activation="hardswish", epsilon=EPSILON)(task.image())
    for kernel, inner, width, gated, activation, stride in rows:
        expansion = round(inner / x.shape[0], 4)
        gate, squeeze = gate_of(inner, gated, 8)
        x = InvertedResidual(width, expansion, kernel, stride, gate, squeeze, activation, EPSILON)(x)
    x = ConvUnit(6 * x.shape[0], 1, activation="hardswish", epsilon=EPSILON)(x)
    return Graph.of(FcHead(task.classes, (hidden,), 0.2, "hardswish", grid=1)(x))


def ghostnet(task: Task) -> Graph:
    """Ghost bottlenecks, then a 1x1 convolution and two linear layers."""
    x = ConvUnit(16, 3, 2)(task.image())
    for kernel, inner, width, gated, stride in GHOST:
        expansion = round(inner / x.shape[0], 4)
        x = GhostBottleneck(width, expansion, kernel, stride, *gate_of(inner, gated, 4))(x)
    return Graph.of(FcHead(task.classes, (1280,), 0.2, grid=1)(ConvUnit(960, 1)(x)))


NETWORKS = {
    "mobilenet_v3_small": partial(mobilenet_v3, rows=SMALL, hidden=1024),
    "mobilenet_v3_large": partial(mobilenet_v3, rows=LARGE, hidden=1280),
    "ghostnet": ghostnet,
}
