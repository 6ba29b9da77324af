"""Claims about costs alone: decided by exact counts, with no training and no doubt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nas.genome.baselines import baseline
from nas.genome.cost import Cost, cost
from nas.genome.graph import Graph, Op
from nas.genome.primitives import (
    AsymmetricConv,
    ConvUnit,
    FactorizedConv,
    GridReduction,
    Inception,
)
from nas.genome.task import Task
from nas.principles.claims.residual import net
from nas.principles.claims.scale import Scale, dense


@dataclass(frozen=True)
class Count:
    """A number that a paper states and that counting gives exactly.

    stated: as printed; least, most: the values that round to it. measured: from the cost model. reading: the
    difference in words.
    """

    key: str
    claim: str
    citation: str
    stated: str
    least: float
    most: float
    count: Callable[[], float]
    write: str = "{:,.0f}"
    note: str = ""

    @property
    def measured(self) -> float:
        """The count."""
        return self.count()

    @property
    def word(self) -> Literal["supported", "refuted"]:
        """Whether the count is what was stated."""
        return "supported" if self.least <= self.measured <= self.most else "refuted"

    @property
    def shown(self) -> str:
        """The count as written on the page."""
        return self.write.format(self.measured)


def block(op: Op, channels: int, side: int) -> Cost:
    """The cost of one block on an image of so many channels and pixels a side."""
    return cost(Graph.of(op(Task("block", (channels, side, side), 1).image())))


def saved(small: Op, large: Op) -> float:
    """The share of weights of convolutions, and so of MACs, that one block saves against another of 64 channels."""
    return 1 - block(small, 64, 16).macs / block(large, 64, 16).macs


def reductions() -> float:
    """MACs of convolution first over those of pooling first, where the grid halves and the channels double."""
    first, pool = GridReduction(640, "conv first"), GridReduction(640, "pool first")
    return block(first, 320, 36).macs / block(pool, 320, 36).macs


def module() -> float:
    """Inception with its reductions at 28 x 28 x 256, as drawn on the slide."""
    return block(Inception(128, 64, 192, 64, 96, 64), 256, 28).macs


def basic_against_bottleneck() -> float:
    """Weights of 1x1, 3x3, 1x1 around 64 of 256 channels over those of two 3x3 of 64 channels."""
    return (2 * 256 * 64 + block(ConvUnit(64), 64, 8).params - 128) / (2 * (block(ConvUnit(64), 64, 8).params - 128))


def shortcuts() -> float:
    """Parameters and MACs that identity shortcuts add to 56 layers on CIFAR-10."""
    canvas = Scale(Task("cifar10", (3, 32, 32), 10))
    with_, without = (cost(net(56, shortcut=shortcut)(canvas)) for shortcut in ("A", "none"))
    return float(with_.params - without.params + with_.macs - without.macs)


def dense_ratio() -> float:
    """Parameters of DenseNet (100 layers, growth 12) over those of DenseNet-BC."""
    canvas = Scale(Task("cifar10", (3, 32, 32), 10))
    return cost(dense(canvas, 12, 32, False, 1.0)).params / cost(dense(canvas, 12, 16)).params


def fewer_than_alexnet() -> float:
    """Parameters of AlexNet over those of GoogLeNet."""
    return cost(baseline("alexnet_original")).params / cost(baseline("googlenet_paper_noaux")).params


COUNTS = (
    Count("c01", "Two 3x3 in place of a 5x5 save 28 %.", "Szegedy et al. 2016, section 3.1", "28 %", 0.275, 0.285,
          lambda: saved(FactorizedConv(64, 5), ConvUnit(64, 5)), "{:.1%}",
          "With as many channels in as out; where they double between stages, one 5x5 can be the cheaper."),
    Count("c02", "A 3x1 and a 1x3 in place of a 3x3 save 33 %.", "Szegedy et al. 2016, section 3.2", "33 %", 0.325,
          0.335, lambda: saved(AsymmetricConv(64, 3), ConvUnit(64, 3)), "{:.1%}"),
    Count("c03", "Pooling before a convolution costs a quarter of pooling after it.", "Szegedy et al. 2016, section 5",
          "4 times", 3.95, 4.05, reductions, "{:.2f} times"),
    Count("c04", "The 1x1 reductions bring an inception module at 28 x 28 x 256 to 358 M operations.",
          "CS231n 2017, lecture 9, slides on GoogLeNet", "358 M", 357.5e6, 358.5e6, module, "{:,.0f}",
          "The slide's own six terms add up to 271 M; 358 M counts the 3x3 twice."),
    Count("c05", "GoogLeNet has 12 times fewer parameters than AlexNet.", "Szegedy et al. 2014, section 1",
          "12 times", 11.5, 12.5, fewer_than_alexnet, "{:.1f} times"),
    Count("c06", "A bottleneck of 256 channels costs about as much as two 3x3 of 64.", "He et al. 2015, fig. 5",
          "about 1", 0.9, 1.1, basic_against_bottleneck, "{:.3f}"),
    Count("c07", "Identity shortcuts cost neither parameters nor multiplications.", "He et al. 2015, section 3.2",
          "0", 0.0, 0.0, shortcuts),
    Count("c08", "DenseNet-BC needs 0.8 M parameters where the undivided network has 7.0 M (100 layers, growth 12).",
          "Huang et al. 2017, table 2", "8.75 times", 6.95 / 0.85, 7.05 / 0.75, dense_ratio, "{:.2f} times"),
)  # fmt: skip
