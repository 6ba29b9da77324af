"""A setting: one draw of all that a claim does not speak of, and the networks that several claims share.

A claim is tested on many settings. Within one, its arms share the data set, the images, the widths and the depths, and
differ in what the claim speaks of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import Literal

from nas.errors import BudgetError
from nas.genome.cost import cost
from nas.genome.graph import Graph, Value
from nas.genome.primitives import (
    AvgPool,
    BasicBlock,
    BatchNorm,
    ConvStack,
    DenseBlock,
    GapHead,
    MaxPool,
    Relu,
    Stem,
    Transition,
)
from nas.genome.primitives.residual import Order, Shortcut
from nas.genome.task import Task

Quantity = Literal["params", "macs"]
Layers = Callable[[Value, int, int], Value]
"""Returns layers on a value, from the width and the number of the stage."""
STAGES = 3
HALVING = MaxPool(2, 2)


@dataclass(frozen=True)
class Setting:
    """What the arms of a claim share.

    side: pixels per side to which larger images are averaged. width: channels of the first stage of a plain network,
    twice those of a residual one. growth: of the widths, from stage to stage. repeats: of the layers of each stage of a
    plain network. shallow, deep: weighted layers of the residual networks, 6 n + 2. index: its place among the settings
    of a study.
    """

    task: Task
    side: int = 32
    width: int = 32
    growth: float = 2.0
    repeats: int = 1
    shallow: int = 20
    deep: int = 56
    index: int = 0

    def enlarged(self, times_side: int) -> "Setting":
        """Return the setting on images of so many times the side, with widths divided by as much."""
        return replace(self, side=self.side * times_side, width=max(4, self.width // times_side))

    def image(self) -> Value:
        """Return the image, halved by average pooling until it is no larger than `side`."""
        x = self.task.image()
        while x.shape[1] > self.side:
            x = AvgPool(2, 2)(x)
        return x

    def widths(self, factor: float = 1.0) -> list[int]:
        """Return the channels of the three stages of a plain network."""
        return [times(self.width, factor * self.growth**stage) for stage in range(STAGES)]

    def classifier(self, x: Value, *auxiliary: Value) -> Graph:
        """Return the network with a global average pooling head on `x`, and auxiliary heads."""
        return Graph.of(GapHead(self.task.classes)(x), *auxiliary)


def times(width: float, factor: float) -> int:
    """Return a width multiplied by a factor and rounded, at least 1."""
    return max(1, round(width * factor))


def plain_features(setting: Setting, factor: float = 1.0, norm: bool = True, pool: MaxPool = HALVING) -> Value:
    """Return stages of pairs of 3x3 convolutions, with pooling: the features in which most claims change one thing."""
    return plain_stages(setting, lambda x, width, _: ConvStack(width, norm=norm)(x), factor, pool)


def plain_stages(
    setting: Setting, layers: Layers, factor: float = 1.0, pool: MaxPool = HALVING, stem: Value | None = None
) -> Value:
    """Return three stages of the same layers, each as often as the setting repeats them and then pooled.

    stem: what the first stage reads, in place of the image.
    """
    x = setting.image() if stem is None else stem
    for stage, width in enumerate(setting.widths(factor)):
        for _ in range(setting.repeats):
            x = layers(x, width, stage)
        x = pool(x)
    return x


def residual_stages(
    setting: Setting, depth: int, factor: float = 1.0, shortcut: Shortcut = "A", order: Order = "post"
) -> list[Value]:
    """Return the stages of a network of basic blocks with `depth` (6 n + 2) layers (He et al. 2015, section 4.2)."""
    return basic_stages(setting, Stem(stem_width(setting, factor))(setting.image()), depth, factor, shortcut, order)


def basic_stages(
    setting: Setting, x: Value, depth: int, factor: float = 1.0, shortcut: Shortcut = "A", order: Order = "post"
) -> list[Value]:
    """Return three stages of basic blocks on top of a stem."""
    stages = []
    for stage in range(STAGES):
        for block in range((depth - 2) // 6):
            width = times(setting.width / 2, factor * setting.growth**stage)
            stride = 2 if stage and not block else 1
            x = BasicBlock(width, stride, shortcut, order)(x)
        stages.append(x)
    return stages


def stem_width(setting: Setting, factor: float = 1.0) -> int:
    """Return the channels of a residual network's stem."""
    return times(setting.width / 2, factor)


def dense_net(setting: Setting, growth: float, depth: int, bottleneck: bool = True, keep: float = 0.5) -> Graph:
    """Return three dense blocks of `depth` layers each (Huang et al. 2017, section 3), by default a DenseNet-BC.

    Only the stem uses the fraction of a growth that is not a whole number, so that parameters can be matched.
    """
    x, growth = Stem(times(2, growth))(setting.image()), max(1, int(growth))
    for stage in range(STAGES):
        x = DenseBlock(growth, depth, bottleneck)(x)
        x = Transition(keep)(x) if stage + 1 < STAGES else Relu()(BatchNorm()(x))
    return setting.classifier(x)


def solve_width(build: Callable[[float], Graph], target: Graph, quantity: Quantity = "macs") -> Graph:
    """Return the network of `build(factor)` whose count is nearest to that of `target`. `factor` scales all widths.

    Raises BudgetError when no factor from 1/16 to 16 brings the count on both sides of the target's.
    """
    wanted = network_count(target, quantity)
    low, high = log(1 / 16), log(16)
    if not network_count(build(exp(low)), quantity) <= wanted <= network_count(build(exp(high)), quantity):
        raise BudgetError(f"no width brings {quantity} to {wanted:,}; change how the arm is built")
    for _ in range(20):  # widths are whole numbers: a hundred-thousandth of a factor is finer than any step of them
        middle = (low + high) / 2
        low, high = (middle, high) if network_count(build(exp(middle)), quantity) <= wanted else (low, middle)
    return min(build(exp(low)), build(exp(high)), key=lambda graph: abs(network_count(graph, quantity) - wanted))


def network_count(graph: Graph, quantity: Quantity) -> int:
    """Return a count of a network without its auxiliary heads."""
    count: int = getattr(cost(graph), quantity)
    return count


def relative_gap(graphs: Sequence[Graph], quantity: Quantity) -> float:
    """Return the difference between the largest and the smallest count, as a share of the smallest."""
    counts = [network_count(graph, quantity) for graph in graphs]
    return max(counts) / min(counts) - 1
