"""GoogLeNet (Szegedy et al. 2014, table 1) and BN-Inception (Ioffe & Szegedy 2015)."""

from functools import partial

from nas.genome.graph import Graph, Value
from nas.genome.layers import MaxPool
from nas.genome.norms import LocalResponseNorm
from nas.genome.primitives.heads import AuxiliaryHead, GapHead
from nas.genome.primitives.inception import EPSILON, FactorizedInception, Inception, InceptionReduction
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.task import Task

# One row per module: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
TABLE = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def _stem(task: Task, norm: bool, bias: bool = False) -> Value:
    """Down to 192 x 28 x 28; without batch norm, local response normalization as in the paper."""
    epsilon = EPSILON if norm else 1e-5
    x = ConvUnit(64, 7, 2, norm, bias=bias, epsilon=epsilon)(task.image())
    x = MaxPool(3, 2, ceil=True)(x)
    x = x if norm else LocalResponseNorm()(x)
    x = ConvUnit(64, 1, norm=norm, bias=bias, epsilon=epsilon)(x)
    x = ConvUnit(192, 3, norm=norm, bias=bias, epsilon=epsilon)(x)
    return MaxPool(3, 2, ceil=True)(x if norm else LocalResponseNorm()(x))


def _modules(x: Value, rows: tuple[str, ...], norm: bool) -> Value:
    for row in rows:
        x = Inception(*TABLE[row], 3 if norm else 5, norm)(x)
    return x


def googlenet(task: Task, auxiliary: bool = False, norm: bool = False) -> Graph:
    """The paper's network; with `norm` torchvision's, whose 5x5 branch is a 3x3."""
    x = _modules(_stem(task, norm), ("3a", "3b"), norm)
    early = _modules(MaxPool(3, 2, ceil=True)(x), ("4a",), norm)
    late = _modules(early, ("4b", "4c", "4d"), norm)
    x = _modules(late, ("4e",), norm)
    x = _modules(MaxPool(2 if norm else 3, 2, ceil=True)(x), ("5a", "5b"), norm)
    side = AuxiliaryHead(task.classes, norm=norm, grid=4 if norm else None)
    head = GapHead(task.classes, dropout=0.2 if norm else 0.4)(x)
    return Graph.of(head, *((side(early), side(late)) if auxiliary else ()))


def bn_inception(task: Task) -> Graph:
    """Batch norm and two 3x3 in place of the 5x5; widths of the released Caffe network, which keeps conv biases."""
    module = partial(FactorizedInception, bias=True)
    reduction = partial(InceptionReduction, padding=1, bias=True)
    x = _stem(task, norm=True, bias=True)
    for op in (
        module(64, 64, 64, 64, 96, 32),
        module(64, 64, 96, 64, 96, 64),
        reduction(128, 160, 64, 96),
        module(224, 64, 96, 96, 128, 128),
        module(192, 96, 128, 96, 128, 128),
        module(160, 128, 160, 128, 160, 128),
        module(96, 128, 192, 160, 192, 128),
        reduction(128, 192, 192, 256),
        module(352, 192, 320, 160, 224, 128),
        module(352, 192, 320, 192, 224, 128, pooling="max"),
    ):
        x = op(x)
    return Graph.of(GapHead(task.classes)(x))


NETWORKS = {
    "googlenet_paper_noaux": googlenet,
    "googlenet_paper_aux": partial(googlenet, auxiliary=True),
    "googlenet_torchvision": partial(googlenet, auxiliary=True, norm=True),
    "bn_inception": bn_inception,
}
