"""Densely connected networks (Huang et al. 2017)."""

from collections.abc import Sequence
from functools import partial

from nas.genome.activations import Relu
from nas.genome.graph import Graph, Value
from nas.genome.layers import Conv
from nas.genome.norms import BatchNorm
from nas.genome.primitives.dense import DenseBlock, Transition
from nas.genome.primitives.heads import GapHead
from nas.genome.primitives.stems import ImageNetStem
from nas.genome.task import Task


def _dense(x: Value, classes: int, growth: int, depths: Sequence[int], bottleneck: bool, compression: float) -> Graph:
    for stage, depth in enumerate(depths):
        x = Transition(compression)(x) if stage else x
        x = DenseBlock(growth, depth, bottleneck)(x)
    return Graph.of(GapHead(classes)(Relu()(BatchNorm()(x))))


def densenet(task: Task, depths: Sequence[int], growth: int = 32) -> Graph:
    """DenseNet-BC on large images: four blocks (table 1)."""
    return _dense(ImageNetStem(2 * growth)(task.image()), task.classes, growth, depths, True, 0.5)


def cifar_densenet(task: Task, depth: int, growth: int) -> Graph:
    """Three equal blocks on small images, without bottleneck and compression (section 3)."""
    layers = (depth - 4) // 3
    return _dense(Conv(16, 3)(task.image()), task.classes, growth, (layers,) * 3, False, 1.0)


def cifar_densenet_bc(task: Task, depth: int, growth: int) -> Graph:
    """Three equal blocks on small images, with bottleneck and compression (section 3)."""
    layers = (depth - 4) // 6
    return _dense(Conv(2 * growth, 3)(task.image()), task.classes, growth, (layers,) * 3, True, 0.5)


NETWORKS = {
    "densenet121": partial(densenet, depths=(6, 12, 24, 16)),
    "densenet169": partial(densenet, depths=(6, 12, 32, 32)),
    "densenet201": partial(densenet, depths=(6, 12, 48, 32)),
    "densenet264": partial(densenet, depths=(6, 12, 64, 48)),
    "densenet161": partial(densenet, depths=(6, 12, 36, 24), growth=48),
    "densenet_40_12": partial(cifar_densenet, depth=40, growth=12),
    "densenet_100_12": partial(cifar_densenet, depth=100, growth=12),
    "densenet_bc_100_12": partial(cifar_densenet_bc, depth=100, growth=12),
    "densenet_bc_250_24": partial(cifar_densenet_bc, depth=250, growth=24),
    "densenet_bc_190_40": partial(cifar_densenet_bc, depth=190, growth=40),
}
