"""Inverted residual blocks on small images, as in MobileNetV2, MobileNetV3 and EfficientNet (Sandler et al. 2018).

Choices: activation and gate, the stages that halve the grid, the width, depth, expansion and kernel of each of three
stages, and the widths before and after them.
"""

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import ConvUnit, GapHead, InvertedResidual
from nas.genome.primitives.gates import ChannelGate
from nas.genome.primitives.units import Activation, DepthwiseKernel

ACTIVATIONS: list[Activation] = ["relu6", "hardswish", "silu"]
GATES: list[ChannelGate] = ["none", "se", "eca"]
KERNELS: list[DepthwiseKernel] = [3, 5, 7]
STRIDES = ["1 2 2", "2 1 2", "2 2 1", "2 2 2"]


def mobile(trial: Trial, task: Task) -> Graph:
    """Return a stem, three stages of inverted residual blocks, a 1x1 convolution and global pooling."""
    activation = trial.suggest_categorical("activation", ACTIVATIONS)
    gate = trial.suggest_categorical("gate", GATES)
    strides = trial.suggest_categorical("strides", STRIDES)

    x = ConvUnit(trial.suggest_int("stem", 8, 24, step=4), activation=activation)(task.image())
    for i, stride in enumerate(map(int, strides.split()), 1):
        width, depth = trial.suggest_int(f"width{i}", 8, 64, step=8), trial.suggest_int(f"depth{i}", 1, 4)
        expansion, kernel = trial.suggest_int(f"expansion{i}", 1, 6), trial.suggest_categorical(f"kernel{i}", KERNELS)
        for j in range(depth):
            x = InvertedResidual(width, expansion, kernel, 1 if j else stride, gate, activation=activation)(x)
    x = ConvUnit(trial.suggest_int("head", 32, 128, step=16), 1, activation=activation)(x)
    return Graph.of(GapHead(task.classes)(x))
