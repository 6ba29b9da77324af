"""ShuffleNet V2 on small images (Ma et al. 2018).

Choices: the width of the stem, the width, depth and depthwise kernel of three stages, a gate in every unit or none, and
the width of the last 1x1 convolution.
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import ConvUnit, GapHead, ShuffleUnit, Stem


def shuffle(trial: Trial, task: Task) -> Graph:
    """Return a stem, three stages of shuffle units, each at half the grid before it, a 1x1 and global pooling."""
    squeeze = trial.suggest_categorical("squeeze", [0.0, 0.25])

    x = Stem(trial.suggest_int("stem", 8, 24, step=4))(task.image())
    for i in (1, 2, 3):
        half = trial.suggest_int(f"width{i}", 16, 128, step=8) // 2
        kernel = trial.suggest_categorical(f"kernel{i}", [3, 5, 7])
        for j in range(trial.suggest_int(f"depth{i}", 1, 6)):
            x = ShuffleUnit(half, 1 if j else 2, kernel, squeeze)(x)
    x = ConvUnit(trial.suggest_int("last", 32, 256, step=32), 1)(x)
    return Graph.of(GapHead(task.classes)(x))
