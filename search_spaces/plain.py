"""Plain stacks of small convolutions, as in VGG (Simonyan & Zisserman 2014).

Choices: the kernel, the depth and width of three stages, and the head.
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import ConvStack, FcHead, GapHead, MaxPool


def plain(trial: Trial, task: Task) -> Graph:
    """Return three stacks of k x k convolutions with max pooling between them."""
    kernel = trial.suggest_categorical("kernel", [3, 5])

    x = task.image()
    for i in (1, 2, 3):
        x = ConvStack(trial.suggest_int(f"width{i}", 8, 96, step=8), trial.suggest_int(f"depth{i}", 1, 4), kernel)(x)
        if i < 3:
            x = MaxPool(2, 2)(x)
    head = trial.suggest_categorical("head", ["gap", "fc"])
    return Graph.of((GapHead(task.classes) if head == "gap" else FcHead(task.classes, (64,), 0.5))(x))
