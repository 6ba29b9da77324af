"""Inception-v2 and Inception-v3 (Szegedy et al. 2016, "Rethinking the Inception architecture")."""

from nas.genome.graph import Graph, Value
from nas.genome.layers import MaxPool
from nas.genome.primitives.heads import GapHead, NormAuxiliaryHead
from nas.genome.primitives.inception import EPSILON, FactorizedInception
from nas.genome.primitives.inception_v3 import InceptionA, InceptionB, InceptionC, InceptionD, InceptionE
from nas.genome.primitives.stacks import ConvUnit
from nas.genome.task import Task


def _unit(x: Value, width: int, kernel: int, stride: int = 1, padding: int = 0) -> Value:
    return ConvUnit(width, kernel, stride, padding=padding, epsilon=EPSILON)(x)


def inception_v3(task: Task) -> Graph:
    """The network released by Google and in torchvision: 3 A, B, 4 C, D, 2 E, an auxiliary head before D."""
    x = _unit(_unit(_unit(task.image(), 32, 3, 2), 32, 3), 64, 3, padding=1)
    x = MaxPool(3, 2)(x)
    x = MaxPool(3, 2)(_unit(_unit(x, 80, 1), 192, 3))
    x = InceptionB()(InceptionA(64)(InceptionA(64)(InceptionA(32)(x))))
    for inner in (128, 160, 160, 192):
        x = InceptionC(inner)(x)
    y = InceptionE()(InceptionE()(InceptionD()(x)))
    return Graph.of(GapHead(task.classes, dropout=0.5)(y), NormAuxiliaryHead(task.classes)(x))


def inception_v2(task: Task) -> Graph:
    """Table 1 row by row, with the paper's grids and widths between modules.

    The paper does not give the widths inside the modules: they are taken from the released Inception-v3, so the counts
    differ from the paper's.
    """
    x = _unit(_unit(_unit(task.image(), 32, 3, 2), 32, 3), 64, 3, padding=1)
    x = MaxPool(3, 2)(x)
    x = _unit(_unit(_unit(x, 80, 3), 192, 3, 2), 288, 3, padding=1)
    for _ in range(3):
        x = FactorizedInception(64, 48, 64, 64, 96, 64)(x)
    x = InceptionB()(x)
    for inner in (128, 160, 160, 160, 192):
        x = InceptionC(inner)(x)
    y = InceptionE()(InceptionE()(InceptionD()(x)))
    return Graph.of(GapHead(task.classes, dropout=0.5)(y), NormAuxiliaryHead(task.classes)(x))


NETWORKS = {"inception_v2_rethinking": inception_v2, "inception_v3_torchvision": inception_v3}
