"""VGG, configurations A to E (Simonyan & Zisserman 2014, table 1)."""

from collections.abc import Sequence
from functools import partial

from nas.genome.graph import Graph
from nas.genome.layers import MaxPool
from nas.genome.norms import LocalResponseNorm
from nas.genome.primitives.heads import FcHead
from nas.genome.primitives.stacks import ConvStack
from nas.genome.task import Task


def vgg(
    task: Task, depths: Sequence[int], kernel: int = 3, pointwise: Sequence[int] = (0,) * 5, local_norm: bool = False
) -> Graph:
    """Five stacks, each followed by pooling. `pointwise` is the number of 1x1 convolutions at the end of each stack."""
    x = task.image()
    for stage, (width, depth, ones) in enumerate(zip((64, 128, 256, 512, 512), depths, pointwise, strict=True)):
        x = ConvStack(width, depth, kernel, norm=False, pointwise=ones)(x)
        x = LocalResponseNorm()(x) if local_norm and not stage else x
        x = MaxPool(2, 2)(x)
    return Graph.of(FcHead(task.classes)(x))


NETWORKS = {
    "vgg_A": partial(vgg, depths=(1, 1, 2, 2, 2)),
    "vgg_A-LRN": partial(vgg, depths=(1, 1, 2, 2, 2), local_norm=True),
    "vgg_B": partial(vgg, depths=(2, 2, 2, 2, 2)),
    "vgg_C": partial(vgg, depths=(2, 2, 3, 3, 3), pointwise=(0, 0, 1, 1, 1)),
    "vgg_D": partial(vgg, depths=(2, 2, 3, 3, 3)),
    "vgg_E": partial(vgg, depths=(2, 2, 4, 4, 4)),
    "vgg_B_shallow_5x5": partial(vgg, depths=(1, 1, 1, 1, 1), kernel=5),
}
