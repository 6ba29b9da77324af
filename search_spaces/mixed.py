"""Three stages, each plain, residual, bottleneck or dense: which connections work best at which resolution?

Choices: the family, width and depth of each stage, the width of the stem, and the head.
"""

from nas.genome import Graph, Task, Trial, Value
from nas.genome.primitives import (
    BasicBlock,
    Bottleneck,
    ConvStack,
    DenseBlock,
    FcHead,
    GapHead,
    MaxPool,
    Stem,
    Transition,
)

FAMILIES = ["plain", "residual", "bottleneck", "dense"]


def stage(family: str, width: int, depth: int, x: Value) -> Value:
    """Return `depth` blocks of one family with about `width` output channels; the grid stays."""
    if family == "plain":
        return ConvStack(width, depth)(x)
    if family == "dense":
        return DenseBlock(max(4, width // 4), depth)(x)
    for _ in range(depth):
        x = BasicBlock(width)(x) if family == "residual" else Bottleneck(width // 2, expansion=2)(x)
    return x


def mixed(trial: Trial, task: Task) -> Graph:
    """Return a stem and three stages; between stages the grid is halved by pooling or a transition."""
    x = Stem(trial.suggest_int("stem", 8, 32, step=4))(task.image())
    for i in (1, 2, 3):
        family = trial.suggest_categorical(f"family{i}", FAMILIES)
        x = stage(family, trial.suggest_int(f"width{i}", 8, 64, step=8), trial.suggest_int(f"depth{i}", 1, 4), x)
        if i < 3:
            x = Transition(0.5)(x) if family == "dense" else MaxPool(2, 2)(x)
    head = trial.suggest_categorical("head", ["gap", "fc"])
    return Graph.of((GapHead(task.classes) if head == "gap" else FcHead(task.classes, (64,), 0.5))(x))
