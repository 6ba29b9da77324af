"""NAS-Bench-201 as a search space: six edges with five operations each (Dong & Yang 2020)."""

from functools import cache

from nas.genome import Graph, Input, Task, Trial, Value
from nas.genome.activations import Relu
from nas.genome.layers import AvgPool, Conv
from nas.genome.norms import BatchNorm
from nas.genome.primitives import GapHead
from nas.genome.primitives.cells import nasbench201

EDGES = ("op_0_1", "op_0_2", "op_1_2", "op_0_3", "op_1_3", "op_2_3")
OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
TASK = Task("cifar10", (3, 32, 32), 10)


def space(trial: Trial, _task: Task) -> Graph:
    """The six choices, as a network with one cell a stage."""
    return network(tuple([trial.suggest_categorical(edge, OPERATIONS) for edge in EDGES]))


@cache
def network(ops: tuple[str, ...]) -> Graph:
    """One cell a stage where the benchmark has five: counts a quarter as many nodes, and every count is a straight
    line of the benchmark's own, so that a budget met by a share of the cells is met by the same cells."""
    a, b, c, d, e, f = ops
    arch = f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"
    x: Value = BatchNorm()(Conv(16, 3)(Input((3, 32, 32))()))
    for stage, width in enumerate((16, 32, 64)):
        if stage:
            y = BatchNorm()(Conv(width, 3, 2)(Relu()(x)))
            x = BatchNorm()(Conv(width, 3)(Relu()(y))) + Conv(width, 1)(AvgPool(2, 2)(x))
        x = nasbench201(arch, width)(x)
    return Graph.of(GapHead(10)(Relu()(BatchNorm()(x))))
