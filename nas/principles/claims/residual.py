"""Shortcuts and depth (He et al. 2015, 2016; Zagoruyko & Komodakis 2016)."""

from nas.genome.graph import Graph
from nas.genome.primitives import Bottleneck, Stem
from nas.genome.primitives.residual import Order, Shortcut
from nas.principles.claims.principle import Build, Match, Principle, better, equivalent, interaction, interior, no_worse
from nas.principles.claims.setting import STAGES, Quantity, Setting, residual_stages, solve_width, stem_width, times

DEPTHS = (8, 14, 20, 32)  # at equal MACs
SHORTCUTS: tuple[Shortcut, ...] = ("A", "B", "C")


def net(depth: int, factor: float = 1.0, shortcut: Shortcut = "A", order: Order = "post") -> Build:
    """Return a builder of a residual network of this depth, or of its plain counterpart without shortcuts."""
    return lambda setting: setting.classifier(residual_stages(setting, depth, factor, shortcut, order)[-1])


def net_like(setting: Setting, depth: int, target: Graph, quantity: Quantity = "macs") -> Graph:
    """Return a residual network of this depth, its width solved to the count of another network."""
    return solve_width(lambda factor: net(depth, factor)(setting), target, quantity)


def shallow(setting: Setting) -> Graph:
    return net(setting.shallow)(setting)


def deep(setting: Setting) -> Graph:
    return net(setting.deep)(setting)


def plain_shallow(setting: Setting) -> Graph:
    return net(setting.shallow, shortcut="none")(setting)


def plain_deep(setting: Setting) -> Graph:
    return net(setting.deep, shortcut="none")(setting)


def with_shortcut(shortcut: Shortcut) -> Build:
    """Return a builder of the deep network with another form of shortcut."""
    return lambda setting: net(setting.deep, shortcut=shortcut)(setting)


def with_order(order: Order) -> Build:
    """Return a builder of the deep network with another order of batch norm, ReLU and addition."""
    return lambda setting: net(setting.deep, order=order)(setting)


def bottleneck_net(setting: Setting) -> Graph:
    """Return as many bottleneck blocks as the deep network has basic ones, widened to its MACs."""
    return solve_width(lambda factor: _bottleneck_net(setting, factor), deep(setting))


def _bottleneck_net(setting: Setting, factor: float) -> Graph:
    x = Stem(stem_width(setting, factor))(setting.image())
    for stage in range(STAGES):
        for block in range((setting.deep - 2) // 6):
            width = times(setting.width / 4, factor * setting.growth**stage)
            x = Bottleneck(width, 2 if stage and not block else 1)(x)
    return setting.classifier(x)


def at_depth(depth: int) -> Build:
    """Return a builder of a residual network of this depth, its width solved to the MACs of the deep network."""
    return lambda setting: net_like(setting, depth, deep(setting))


PRINCIPLES = (
    Principle(
        "h09", "A deeper plain network has a higher error, in training too.",
        "He et al. 2015, section 4.1, fig. 1 and table 2", "difference",
        {"plain, shallow": plain_shallow, "plain, deep": plain_deep},
        (better("plain, shallow", "plain, deep", 15.0),
         better("plain, shallow", "plain, deep", 0.2, "train_loss")),
        paper=0.6, paper_note="ImageNet top-1, 18 and 34 layers: 27.94 and 28.54 %",
        caveat="A short schedule exaggerates it.", unmatched="Depth, and with it cost and parameters, is tested.",
    ),
    Principle(
        "h10", "Identity shortcuts remove the degradation.",
        "He et al. 2015, section 4.1, table 2", "interaction",
        {"plain, deep": plain_deep, "residual, deep": deep, "plain, shallow": plain_shallow,
         "residual, shallow": shallow},
        (interaction(("plain, shallow", "plain, deep"), ("residual, shallow", "residual, deep"), 15.0),),
        (Match("params", 0, ("plain, shallow", "residual, shallow")),
         Match("macs", 0, ("plain, deep", "residual, deep"))),
        paper=3.45, paper_note="ImageNet top-1, 18 and 34 layers: (28.54 - 27.94) - (25.03 - 27.88)",
        caveat="Deep networks have more parameters and MACs than shallow ones, with shortcuts and without. In few "
               "epochs the deep residual network need not beat the shallow one yet; the interaction is tested.",
    ),
    Principle(
        "h11", "Zero-padded shortcuts (A) differ little from projections, where shapes change (B) or everywhere (C).",
        "He et al. 2015, section 4.1, table 3", "equivalence",
        {shortcut: with_shortcut(shortcut) for shortcut in SHORTCUTS},
        (*equivalent("A", "B"), *equivalent("A", "C")),
        (Match("macs", 0.1, SHORTCUTS),),
        paper=-0.51, paper_note="ImageNet top-1, 34 layers: A 25.03, B 24.52, C 24.19 %",
        caveat="Projections add up to a tenth to the cost. The paper's differences are about what is worth it here.",
    ),
    Principle(
        "h12", "Bottleneck blocks are no worse than basic ones at equal MACs.",
        "He et al. 2015, section 4.1; He et al. 2016, table 1", "difference",
        {"basic": deep, "bottleneck": bottleneck_net}, (no_worse("bottleneck", "basic", 0.9),),
        (Match("macs", 0.05, ("basic", "bottleneck")),),
        paper=0.68, paper_note="CIFAR-10, 110 basic and 164 bottleneck layers: 6.61 and 5.93 %",
        caveat="As in the paper, there are as many blocks of either, so the bottleneck network is half as deep again. "
               "Bottlenecks hold about three times the activations.",
    ),
    Principle(
        "h13", "Batch norm after the addition, or a ReLU before it, hurts.",
        "He et al. 2016, table 2, fig. 4", "difference",
        {"original": deep, "norm after": with_order("norm after"), "ReLU before": with_order("relu before")},
        (better("original", "norm after", 4.2), better("original", "ReLU before", 3.6)),
        (Match("macs", 0, ("original", "norm after", "ReLU before")),),
        paper=1.56, paper_note="CIFAR-10, 110 layers: 6.61, 8.17 (batch norm after) and 7.84 % (ReLU before)",
        caveat="The effect grows with depth.",
    ),
    Principle(
        "h18", "At fixed MACs there is a best depth: shallower and wider, deeper and narrower are both worse.",
        "Szegedy et al. 2016, section 2, principle 4; Zagoruyko & Komodakis 2016, table 2", "interior optimum",
        {f"{depth} layers": at_depth(depth) for depth in DEPTHS},
        interior(("8 layers", "32 layers"), ("14 layers", "20 layers"), 4.5),
        (Match("macs", 0.05, tuple(f"{depth} layers" for depth in DEPTHS)),),
        paper=1.15, paper_note="CIFAR-10, 1 to 4 convolutions per block at 2.2 M parameters: 6.69, 5.43, 5.65, 5.93 %",
        caveat="The paper's networks have equal parameters. Deeper networks learn more slowly; a short schedule moves "
               "the optimum to fewer layers.",
    ),
)  # fmt: skip
