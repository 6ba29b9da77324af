"""What the networks of all principles are drawn on: a task, and the scale of the study.

Every arm is a function of a `Canvas`, so one page serves a pilot on two cores and the papers' own sizes on a card.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
STAGES = 3


@dataclass(frozen=True)
class Scale:
    """`side`: pixels to which larger images are averaged. `width`: channels of the first stage of a plain network,
    twice those of a residual one. `shallow`, `deep`: weighted layers of the residual networks, 6 n + 2."""

    task: Task
    side: int = 32
    width: int = 32
    shallow: int = 20
    deep: int = 56

    def image(self) -> Value:
        """The image, halved by averaging until it is no larger than `side`."""
        x = self.task.image()
        while x.shape[1] > self.side:
            x = AvgPool(2, 2)(x)
        return x

    def widths(self, factor: float = 1.0) -> list[int]:
        """Channels of the three stages of a plain network."""
        return [times(self.width * 2**stage, factor) for stage in range(STAGES)]

    def answer(self, x: Value, *auxiliary: Value) -> Graph:
        """The network that averages over what it has seen and answers."""
        return Graph.of(GapHead(self.task.classes)(x), *auxiliary)


def times(width: int, factor: float) -> int:
    """A width multiplied, at least 1."""
    return max(1, round(width * factor))


def plain(canvas: Scale, factor: float = 1.0) -> Value:
    """Two 3x3 convolutions and a pooling, three times: what most pairs change one thing in."""
    x = canvas.image()
    for width in canvas.widths(factor):
        x = MaxPool(2, 2)(ConvStack(width)(x))
    return x


def residual(
    canvas: Scale, depth: int, factor: float = 1.0, shortcut: Shortcut = "A", order: Order = "post"
) -> list[Value]:
    """The stages of a network of basic blocks, `depth` (6 n + 2) layers in all (He et al. 2015, section 4.2)."""
    return blocks(canvas, Stem(first(canvas, factor))(canvas.image()), depth, factor, shortcut, order)


def blocks(
    canvas: Scale, x: Value, depth: int, factor: float = 1.0, shortcut: Shortcut = "A", order: Order = "post"
) -> list[Value]:
    """Three stages of basic blocks behind a stem."""
    stages = []
    for stage in range(STAGES):
        for place in range((depth - 2) // 6):
            width, stride = times(canvas.width // 2 * 2**stage, factor), 2 if stage and not place else 1
            x = BasicBlock(width, stride, shortcut, order)(x)
        stages.append(x)
    return stages


def first(canvas: Scale, factor: float = 1.0) -> int:
    """Channels of a residual network's stem."""
    return times(canvas.width // 2, factor)


def dense(canvas: Scale, growth: float, depth: int, bottleneck: bool = True, keep: float = 0.5) -> Graph:
    """Three dense blocks of `depth` layers each (Huang et al. 2017, section 3); DenseNet-BC as it stands.

    Of a growth that is no whole number, only the stem takes the fraction: so parameters can be matched.
    """
    x, growth = Stem(times(2, growth))(canvas.image()), max(1, int(growth))
    for stage in range(STAGES):
        x = DenseBlock(growth, depth, bottleneck)(x)
        x = Transition(keep)(x) if stage + 1 < STAGES else Relu()(BatchNorm()(x))
    return canvas.answer(x)


def solved(build: Callable[[float], Graph], target: Graph, quantity: Quantity = "macs") -> Graph:
    """The network of `build(factor)` whose count comes nearest to that of `target`, its widths times one factor.

    Raises BudgetError when no factor from 1/16 to 16 brings the count on both sides of the target's.
    """
    wanted = counted(target, quantity)
    low, high = log(1 / 16), log(16)
    if not counted(build(exp(low)), quantity) <= wanted <= counted(build(exp(high)), quantity):
        raise BudgetError(f"no width brings {quantity} to {wanted:,}; change what the arm is built of")
    for _ in range(20):  # widths are whole numbers: a hundred-thousandth of a factor is finer than any step of them
        middle = (low + high) / 2
        low, high = (middle, high) if counted(build(exp(middle)), quantity) <= wanted else (low, middle)
    return min(build(exp(low)), build(exp(high)), key=lambda graph: abs(counted(graph, quantity) - wanted))


def counted(graph: Graph, quantity: Quantity) -> int:
    """A count of a network, its auxiliary heads left out."""
    count: int = getattr(cost(graph), quantity)
    return count


def gap(graphs: Sequence[Graph], quantity: Quantity) -> float:
    """How far apart the counts are, as a share of the least."""
    counts = [counted(graph, quantity) for graph in graphs]
    return max(counts) / min(counts) - 1
