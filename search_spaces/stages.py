"""Three stages of fixed widths, each plain or residual: 216 networks.

Choices: the kind and depth of each stage, and the kernel of those that are plain.
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import BasicBlock, ConvStack, ConvUnit, GapHead, Stem


def stages(trial: Trial, task: Task) -> Graph:
    """Return a stem and three stages; before the second and third the grid is halved and the width doubled."""
    x = Stem(8)(task.image())
    for i in (1, 2, 3):
        x = ConvUnit(4 + 4 * i, 3, 2)(x) if i > 1 else x
        kind, depth = trial.suggest_categorical(f"kind{i}", ["plain", "residual"]), trial.suggest_int(f"depth{i}", 1, 2)
        if kind == "plain":
            x = ConvStack(x.shape[0], depth, trial.suggest_categorical(f"kernel{i}", [3, 5]))(x)
        else:
            for _ in range(depth):
                x = BasicBlock(x.shape[0])(x)
    return Graph.of(GapHead(task.classes)(x))
