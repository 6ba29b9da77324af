"""RepVGG (Ding et al. 2021): a plain network of 3x3 convolutions once its branches are folded."""

from collections.abc import Sequence
from functools import partial

from nas.genome.graph import Graph
from nas.genome.primitives.heads import GapHead
from nas.genome.primitives.repvgg import RepVGGBlock
from nas.genome.task import Task


def repvgg(task: Task, depths: Sequence[int], a: float, b: float) -> Graph:
    """Five stages, each halves the image first; `a` multiplies the widths, `b` the last (the authors' repvgg.py)."""
    widths = [int(width * a) for width in (64, 128, 256)]
    x = task.image()
    for width, depth in zip((min(64, widths[0]), *widths, int(512 * b)), (1, *depths), strict=True):
        for i in range(depth):
            x = RepVGGBlock(width, 1 if i else 2)(x)
    return Graph.of(GapHead(task.classes)(x))


NETWORKS = {"repvgg_a0": partial(repvgg, depths=(2, 4, 14, 1), a=0.75, b=2.5)}
