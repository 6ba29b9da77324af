"""A small residual network of which only the widths are free: 243 networks (He et al. 2015, section 4.2).

Choices: the width of the stem and of four blocks. All networks have the same layers.
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import BasicBlock, GapHead, Stem


def widths(trial: Trial, task: Task) -> Graph:
    """Return a stem and four residual blocks, the first two at half the grid before them, and global pooling."""
    x = Stem(trial.suggest_int("stem", 8, 24, step=8))(task.image())
    for i, (narrow, stride) in enumerate(((8, 2), (16, 2), (16, 1), (16, 1)), 1):
        x = BasicBlock(trial.suggest_int(f"width{i}", narrow, narrow + 16, step=8), stride)(x)
    return Graph.of(GapHead(task.classes)(x))
