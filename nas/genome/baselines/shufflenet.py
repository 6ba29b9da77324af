"""ShuffleNet V2 (Ma et al. 2018, table 5)."""

from collections.abc import Sequence
from functools import partial

from nas.genome.graph import Graph, Value
from nas.genome.layers import MaxPool
from nas.genome.primitives.heads import GapHead
from nas.genome.primitives.shuffle import ShuffleUnit
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.primitives.stems import Stem
from nas.genome.task import Task


def _stages(x: Value, classes: int, widths: Sequence[int]) -> Graph:
    """Three stages of 4, 8 and 4 units, then a 1x1 to the last width."""
    for width, depth in zip(widths, (4, 8, 4), strict=False):
        for i in range(depth):
            x = ShuffleUnit(width // 2, 1 if i else 2)(x)
    return Graph.of(GapHead(classes)(ConvUnit(widths[-1], 1)(x)))


def shufflenet_v2(task: Task, widths: Sequence[int]) -> Graph:
    """On large images: the stem and a pooling reduce the grid to a quarter."""
    return _stages(MaxPool(3, 2, padding=1)(Stem(24, 2)(task.image())), task.classes, widths)


def cifar_shufflenet_v2(task: Task, widths: Sequence[int]) -> Graph:
    """On small images, as in chenyaofo/pytorch-cifar-models: the stem keeps the grid, and there is no pooling."""
    return _stages(Stem(24)(task.image()), task.classes, widths)


NETWORKS = {
    "shufflenet_v2_x0_5": partial(shufflenet_v2, widths=(48, 96, 192, 1024)),
    "shufflenet_v2_x1_0": partial(shufflenet_v2, widths=(116, 232, 464, 1024)),
    "cifar_shufflenet_v2": partial(cifar_shufflenet_v2, widths=(116, 232, 464, 1024)),
}
