"""DenseNet-BC on small images (Huang et al. 2017).

Choices: growth, bottleneck layers, compression, and the depth of three blocks.
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import BatchNorm, DenseBlock, GapHead, Relu, Stem, Transition


def dense(trial: Trial, task: Task) -> Graph:
    """Return three dense blocks with transitions between them."""
    growth = trial.suggest_int("growth", 4, 24, step=4)
    keep = trial.suggest_categorical("keep", [0.5, 1.0])
    bottleneck = trial.suggest_categorical("bottleneck", [True, False])

    x = Stem(2 * growth)(task.image())
    for i in (1, 2, 3):
        x = DenseBlock(growth, trial.suggest_int(f"depth{i}", 2, 10), bottleneck)(x)
        if i < 3:
            x = Transition(keep)(x)
    return Graph.of(GapHead(task.classes)(Relu()(BatchNorm()(x))))
