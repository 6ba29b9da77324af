"""RegNetX and RegNetY on small images (Radosavovic et al. 2020, section 3.3 and table 2).

Choices: the first width, the slope of the widths from block to block, the ratio between the widths of stages, the depth
of the whole network, the channels of a group, and a gate in every block (Y) or none (X).
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import GapHead, Stem
from nas.genome.primitives.regnet import quantized_widths, regnet_blocks


def regnet(trial: Trial, task: Task) -> Graph:
    """Return a stem at full resolution, at most four stages, each at half the grid before it, and global pooling."""
    width = trial.suggest_int("width", 8, 48, step=8)
    slope = trial.suggest_int("slope", 1, 24, log=True)
    ratio = trial.suggest_float("ratio", 1.5, 3.0, step=0.25)
    depth = trial.suggest_int("depth", 4, 16)
    group_width = trial.suggest_categorical("group_width", [4, 8, 16])
    squeeze = trial.suggest_categorical("squeeze", [0.0, 0.25])

    widths = quantized_widths(width, slope, ratio, depth, stages=4)
    x = regnet_blocks(Stem(16)(task.image()), widths, group_width, squeeze)
    return Graph.of(GapHead(task.classes)(x))
