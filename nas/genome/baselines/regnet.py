"""RegNetX and RegNetY (Radosavovic et al. 2020), with the parameters of the authors' pycls."""

from functools import partial

from nas.genome.graph import Graph
from nas.genome.primitives.heads import GapHead
from nas.genome.primitives.regnet import quantized_widths, regnet_blocks
from nas.genome.primitives.stems import Stem
from nas.genome.task import Task


def regnet(
    task: Task, width: int, slope: float, ratio: float, depth: int, group_width: int, squeeze: float = 0.0
) -> Graph:
    """A stem at stride 2 and the stages of the quantized line; Y has squeeze-and-excitation in every block."""
    widths = quantized_widths(width, slope, ratio, depth)
    return Graph.of(GapHead(task.classes)(regnet_blocks(Stem(32, 2)(task.image()), widths, group_width, squeeze)))


regnet_y = partial(regnet, squeeze=0.25)
NETWORKS = {
    "regnet_x_200mf": partial(regnet, width=24, slope=36.44, ratio=2.49, depth=13, group_width=8),
    "regnet_x_400mf": partial(regnet, width=24, slope=24.48, ratio=2.54, depth=22, group_width=16),
    "regnet_x_800mf": partial(regnet, width=56, slope=35.73, ratio=2.28, depth=16, group_width=16),
    "regnet_y_200mf": partial(regnet_y, width=24, slope=36.44, ratio=2.49, depth=13, group_width=8),
    "regnet_y_400mf": partial(regnet_y, width=48, slope=27.89, ratio=2.09, depth=16, group_width=8),
    "regnet_y_800mf": partial(regnet_y, width=56, slope=38.84, ratio=2.4, depth=14, group_width=16),
}
