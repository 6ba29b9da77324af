"""ConvNeXt, version 1 (Liu et al. 2022)."""

from collections.abc import Sequence
from functools import partial

from nas.genome.graph import Graph
from nas.genome.primitives.convnext import ConvNeXtBlock, NormHead, PatchReduction, PatchStem
from nas.genome.task import Task


def convnext(task: Task, depths: Sequence[int], widths: Sequence[int]) -> Graph:
    """Four stages of blocks (section 3.1); the first at a quarter of the image's side."""
    x = PatchStem(widths[0])(task.image())
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        x = PatchReduction(width)(x) if stage else x
        for _ in range(depth):
            x = ConvNeXtBlock()(x)
    return Graph.of(NormHead(task.classes)(x))


NETWORKS = {
    "convnext_tiny": partial(convnext, depths=(3, 3, 9, 3), widths=(96, 192, 384, 768)),
    "convnext_atto": partial(convnext, depths=(2, 2, 6, 2), widths=(40, 80, 160, 320)),
}
