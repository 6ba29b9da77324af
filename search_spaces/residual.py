"""Residual networks for small images (He et al. 2015, section 4.2).

Choices: the kind of block, the width of the first stage and its growth, and the depth of three stages.
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import BasicBlock, Bottleneck, GapHead, Stem


def residual(trial: Trial, task: Task) -> Graph:
    """Return a stem, three stages of residual blocks, the second and third at half the grid, and global pooling."""
    block = trial.suggest_categorical("block", ["basic", "bottleneck"])
    width = trial.suggest_int("width", 8, 40, step=4)
    growth = trial.suggest_categorical("growth", [1.0, 1.5, 2.0])

    x = Stem(width)(task.image())
    for i in (1, 2, 3):
        channels = 4 * round(width * growth ** (i - 1) / 4)
        for j in range(trial.suggest_int(f"depth{i}", 1, 4)):
            stride = 2 if i > 1 and j == 0 else 1
            x = BasicBlock(channels, stride)(x) if block == "basic" else Bottleneck(channels // 2, stride, 2)(x)
    return Graph.of(GapHead(task.classes)(x))
