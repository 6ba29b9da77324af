"""Two stages, each plain, residual or dense, with one width for each: 225 networks.

Choices: the kind and depth of each stage, and the kernel of one that is plain.
"""

from nas.genome import Graph, Task, Trial, Value
from nas.genome.primitives import BasicBlock, ConvStack, DenseBlock, GapHead, MaxPool, Stem


def stages(trial: Trial, task: Task) -> Graph:
    """Return a stem and two stages, before each of which the grid is halved, and global pooling."""
    x = Stem(16)(task.image())
    for i, width in ((1, 16), (2, 24)):
        x = stage(trial, i, width, MaxPool(2, 2)(x))
    return Graph.of(GapHead(task.classes)(x))


def stage(trial: Trial, i: int, width: int, x: Value) -> Value:
    """Return the output of the stage with the choices numbered `i`."""
    kind = trial.suggest_categorical(f"kind{i}", ["plain", "residual", "dense"])
    depth = trial.suggest_int(f"depth{i}", 1, 3)
    if kind == "plain":
        return ConvStack(width, depth, trial.suggest_categorical(f"kernel{i}", [1, 3, 5]))(x)
    if kind == "dense":
        return DenseBlock(width // 2, depth)(x)
    for _ in range(depth):
        x = BasicBlock(width)(x)
    return x
