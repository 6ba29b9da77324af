"""Parallel filters (Szegedy et al. 2014)."""

from nas.genome.graph import Graph
from nas.genome.primitives import Inception, InceptionNaive, MaxPool, Stem
from nas.principles.claims.principle import Match, Principle, better
from nas.principles.claims.setting import Setting, solve_width, times


def inception_net(setting: Setting) -> Graph:
    """Return modules with 1x1 reductions; half of its channels are 3x3, an eighth 5x5."""
    x = Stem(setting.width)(setting.image())
    for channels in setting.widths(2.0):
        few, some = max(1, channels // 8), max(1, channels // 4)
        for _ in range(setting.repeats):
            x = Inception(some, some, 2 * some, max(1, few // 2), few, few, norm=True)(x)
        x = MaxPool(2, 2)(x)
    return setting.classifier(x)


def naive(setting: Setting) -> Graph:
    """Return the same filters on the full input, narrowed to the MACs of the network with reductions."""
    return solve_width(lambda factor: _naive(setting, factor), inception_net(setting))


def _naive(setting: Setting, factor: float) -> Graph:
    x = Stem(setting.width)(setting.image())
    for channels in setting.widths(2.0):
        one, three, five = (times(channels, factor * share) for share in (1 / 4, 1 / 2, 1 / 8))
        for _ in range(setting.repeats):
            x = InceptionNaive(one, three, five, norm=True)(x)
        x = MaxPool(2, 2)(x)
    return setting.classifier(x)


PRINCIPLES = (
    Principle(
        "h27", "An inception module with 1x1 reductions beats one without at equal MACs.",
        "Szegedy et al. 2014, section 4, fig. 2", "difference",
        {"reduced": inception_net, "not reduced": naive}, (better("reduced", "not reduced", 1.0),),
        (Match("macs", 0.05, ("reduced", "not reduced")),),
        caveat="Without reductions the pooling branch passes every channel on, so the modules end wider.",
    ),
)  # fmt: skip
