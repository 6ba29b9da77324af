"""EfficientNet-B0 (Tan & Le 2019) and its form for integer arithmetic, EfficientNet-Lite0 (Google 2020)."""

from nas.genome.baselines.mobile import Stage, in_stages
from nas.genome.graph import Graph
from nas.genome.primitives.heads import GapHead
from nas.genome.primitives.mobile import InvertedResidual
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.primitives.units import DepthwiseKernel, pad_same
from nas.genome.task import Task

EPSILON = 1e-3  # of the norms as released for TensorFlow; torchvision's B0 has torch's 1e-5

B0: tuple[Stage, ...] = (
    (1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2), (6, 80, 3, 3, 2), (6, 112, 3, 5, 1), (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)  # fmt: skip
"""Tan & Le 2019, table 1."""


def efficientnet_b0(task: Task) -> Graph:
    """Gated inverted residual blocks; inside a gate a quarter of the channels that enter the block."""

    def block(width: int, expansion: float, kernel: DepthwiseKernel, stride: int) -> InvertedResidual:
        return InvertedResidual(width, expansion, kernel, stride, "se", round(0.25 / expansion, 6), "silu")

    x = ConvUnit(32, 3, 2, activation="silu")(task.image())
    x = ConvUnit(1280, 1, activation="silu")(in_stages(x, B0, block))
    return Graph.of(GapHead(task.classes, dropout=0.2)(x))


def efficientnet_lite0(task: Task) -> Graph:
    """B0 without gates, with ReLU6, padded as by TensorFlow."""

    def block(width: int, expansion: float, kernel: DepthwiseKernel, stride: int) -> InvertedResidual:
        return InvertedResidual(width, expansion, kernel, stride, epsilon=EPSILON, padding="same")

    x, padding = pad_same(task.image(), 3, 2)
    x = ConvUnit(32, 3, 2, padding=padding, activation="relu6", epsilon=EPSILON)(x)
    x = ConvUnit(1280, 1, activation="relu6", epsilon=EPSILON)(in_stages(x, B0, block))
    return Graph.of(GapHead(task.classes, dropout=0.2)(x))


NETWORKS = {"efficientnet_b0": efficientnet_b0, "efficientnet_lite0": efficientnet_lite0}
