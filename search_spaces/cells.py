"""A cell of four operations, repeated in three stages (Ying et al. 2019; Zoph et al. 2018).

Choices: each operation and the two earlier vertices it reads, how the unread vertices are joined, width and depth.
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import Cell, GapHead, MaxPool, Stem
from nas.genome.primitives.cells import Join, Operation

JOINS: list[Join] = ["concat", "sum"]
OPERATIONS: list[Operation] = ["conv3x3", "conv1x1", "maxpool3x3", "skip"]
VERTICES = (1, 2, 3, 4)


def cells(trial: Trial, task: Task) -> Graph:
    """Return a stem and three stages of the cell; between stages the width is doubled and the grid halved."""
    ops = tuple([trial.suggest_categorical(f"op{v}", OPERATIONS[:3] if v == 1 else OPERATIONS) for v in VERTICES])
    edges = {(trial.suggest_int(f"{end}{v}", 0, v - 1), v) for v in VERTICES for end in ("left", "right")}
    edges |= {(v, 5) for v in VERTICES if not any(v == read for read, _ in edges)}
    join = trial.suggest_categorical("join", JOINS)
    width = trial.suggest_int("width", 8, 48, step=8)
    depth = trial.suggest_int("depth", 1, 3)

    x = Stem(width)(task.image())
    for stage in (1, 2, 4):
        x = MaxPool(2, 2)(x) if stage > 1 else x
        for _ in range(depth):
            x = Cell(width * stage, ops, tuple(edges), join)(x)
    return Graph.of(GapHead(task.classes)(x))
