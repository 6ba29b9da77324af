"""SqueezeNet (Iandola et al. 2016) and its version 1.1."""

from collections.abc import Sequence
from functools import partial

from nas.genome.graph import Graph
from nas.genome.layers import MaxPool
from nas.genome.primitives.fire import Fire
from nas.genome.primitives.heads import ConvHead
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.task import Task

REDUCED = (16, 16, 32, 32, 48, 48, 64, 64)  # channels of the squeeze layers (table 1)


def squeezenet(task: Task, stem: int, kernel: int, pools: Sequence[int]) -> Graph:
    """A stem at stride 2, eight fire modules, a 1x1 to the classes; a pooling precedes the modules `pools`."""
    x = ConvUnit(stem, kernel, 2, norm=False, padding=0)(task.image())
    for module, reduced in enumerate(REDUCED):
        x = MaxPool(3, 2, ceil=True)(x) if module in pools else x
        x = Fire(reduced, 4 * reduced, 4 * reduced)(x)
    return Graph.of(ConvHead(task.classes, dropout=0.5)(x))


NETWORKS = {
    "squeezenet1_0": partial(squeezenet, stem=96, kernel=7, pools=(0, 3, 7)),
    "squeezenet1_1": partial(squeezenet, stem=64, kernel=3, pools=(0, 2, 4)),
}
