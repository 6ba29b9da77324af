"""Claims about costs alone, decided by exact counts without training."""

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
from nas.principles.claims.setting import Setting, dense_net


@dataclass(frozen=True)
class Count:
    """A number that a paper states and that counting gives exactly.

    stated: as printed; low, high: the range that rounds to it. count: returns the number by the cost model; template
    formats it. note: an explanation of a difference.
    """

    key: str
    claim: str
    citation: str
    stated: str
    low: float
    high: float
    count: Callable[[], float]
    template: str = "{:,.0f}"
    note: str = ""

    @property
    def measured(self) -> float:
        """Return the count."""
        return self.count()

    @property
    def outcome(self) -> Literal["as stated", "differs"]:
        """Return "as stated" if the count is the stated one."""
        return "as stated" if self.low <= self.measured <= self.high else "differs"

    @property
    def formatted(self) -> str:
        """Return the count as the page shows it."""
        return self.template.format(self.measured)


def op_cost(op: Op, channels: int, side: int) -> Cost:
    """Return the cost of one op on an image with these channels and pixels per side."""
    return cost(Graph.of(op(Task("block", (channels, side, side), 1).image())))


def macs_saved(small: Op, large: Op) -> float:
    """Return the share of MACs, and so of convolution weights, that one op of 64 channels saves against another."""
    return 1 - op_cost(small, 64, 16).macs / op_cost(large, 64, 16).macs


def conv_first_ratio() -> float:
    """Return MACs of convolution first over those of pooling first, where the grid halves and the channels double."""
    first, pool = GridReduction(640, "conv first"), GridReduction(640, "pool first")
    return op_cost(first, 320, 36).macs / op_cost(pool, 320, 36).macs


def inception_macs() -> float:
    """Return the MACs of inception with its reductions at 28 x 28 x 256, as drawn on the slide."""
    return op_cost(Inception(128, 64, 192, 64, 96, 64), 256, 28).macs


def basic_against_bottleneck() -> float:
    """Return the weights of 1x1, 3x3, 1x1 with 64 of 256 channels over those of two 3x3 of 64 channels."""
    weights = op_cost(ConvUnit(64), 64, 8).params - 128  # of a 3x3, without its batch norm
    return (2 * 256 * 64 + weights) / (2 * weights)


def shortcut_cost() -> float:
    """Return the parameters and MACs that identity shortcuts add to 56 layers on CIFAR-10."""
    setting = Setting(Task("cifar10", (3, 32, 32), 10))
    with_, without = (cost(net(56, shortcut=shortcut)(setting)) for shortcut in ("A", "none"))
    return float(with_.params - without.params + with_.macs - without.macs)


def dense_ratio() -> float:
    """Return the parameters of DenseNet (100 layers, growth 12) over those of DenseNet-BC."""
    setting = Setting(Task("cifar10", (3, 32, 32), 10))
    return cost(dense_net(setting, 12, 32, False, 1.0)).params / cost(dense_net(setting, 12, 16)).params


def alexnet_ratio() -> float:
    """Return the parameters of AlexNet over those of GoogLeNet."""
    return cost(baseline("alexnet_original")).params / cost(baseline("googlenet_paper_noaux")).params


COUNTS = (
    Count("c01", "Two 3x3 in place of a 5x5 save 28 %.", "Szegedy et al. 2016, section 3.1", "28 %", 0.275, 0.285,
          lambda: macs_saved(FactorizedConv(64, 5), ConvUnit(64, 5)), "{:.1%}",
          "With as many input as output channels; where they double between stages, one 5x5 can be cheaper."),
    Count("c02", "A 3x1 and a 1x3 in place of a 3x3 save 33 %.", "Szegedy et al. 2016, section 3.2", "33 %", 0.325,
          0.335, lambda: macs_saved(AsymmetricConv(64, 3), ConvUnit(64, 3)), "{:.1%}"),
    Count("c03", "Pooling before a convolution costs a quarter of pooling after it.", "Szegedy et al. 2016, section 5",
          "4 times", 3.95, 4.05, conv_first_ratio, "{:.2f} times"),
    Count("c04", "The 1x1 reductions bring an inception module at 28 x 28 x 256 to 358 M operations.",
          "CS231n 2017, lecture 9, slides on GoogLeNet", "358 M", 357.5e6, 358.5e6, inception_macs, "{:,.0f}",
          "The slide's own six terms add up to 271 M; 358 M counts the 3x3 twice."),
    Count("c05", "GoogLeNet has 12 times fewer parameters than AlexNet.", "Szegedy et al. 2014, section 1",
          "12 times", 11.5, 12.5, alexnet_ratio, "{:.1f} times"),
    Count("c06", "A bottleneck of 256 channels costs about as much as two 3x3 of 64.", "He et al. 2015, fig. 5",
          "about 1", 0.9, 1.1, basic_against_bottleneck, "{:.3f}"),
    Count("c07", "Identity shortcuts cost neither parameters nor multiplications.", "He et al. 2015, section 3.2",
          "0", 0.0, 0.0, shortcut_cost),
    Count("c08", "DenseNet-BC needs 0.8 M parameters where the plain DenseNet has 7.0 M (100 layers, growth 12).",
          "Huang et al. 2017, table 2", "8.75 times", 6.95 / 0.85, 7.05 / 0.75, dense_ratio, "{:.2f} times"),
)  # fmt: skip
