"""Parallel filters (Szegedy et al. 2014)."""

from nas.genome.graph import Graph, Value
from nas.genome.primitives import ConvUnit, Inception, InceptionNaive, Stem
from nas.principles.claims.principle import Match, Principle, better
from nas.principles.claims.setting import Layers, Setting, plain_stages, solve_width, times


def modules(setting: Setting, layers: Layers) -> Graph:
    """Return stages of these layers behind a stem, of twice the setting's widths."""
    return setting.classifier(plain_stages(setting, layers, 2.0, stem=Stem(setting.width)(setting.image())))


def inception_net(setting: Setting) -> Graph:
    """Return modules with 1x1 reductions; half of its channels are 3x3, an eighth 5x5."""

    def layers(x: Value, channels: int, _: int) -> Value:
        few, some = max(1, channels // 8), max(1, channels // 4)
        return Inception(some, some, 2 * some, max(1, few // 2), few, few, norm=True)(x)

    return modules(setting, layers)


def naive(setting: Setting) -> Graph:
    """Return the same filters on the full input, narrowed to the MACs of the network with reductions."""
    return solve_width(lambda factor: _naive(setting, factor), inception_net(setting))


def _naive(setting: Setting, factor: float) -> Graph:
    def layers(x: Value, channels: int, _: int) -> Value:
        one, three, five = (times(channels, factor * share) for share in (1 / 4, 1 / 2, 1 / 8))
        return InceptionNaive(one, three, five, norm=True)(x)

    return modules(setting, layers)


def one_size(setting: Setting) -> Graph:
    """Return as many 3x3 alone behind 1x1 reductions, widened to the MACs of the inception modules."""
    return solve_width(lambda factor: _one_size(setting, factor), inception_net(setting))


def _one_size(setting: Setting, factor: float) -> Graph:
    def layers(x: Value, channels: int, _: int) -> Value:
        return ConvUnit(times(channels, factor))(ConvUnit(times(channels, factor / 2), 1)(x))

    return modules(setting, layers)


PRINCIPLES = (
    Principle(
        "h27", "An inception module with 1x1 reductions beats one without at equal MACs.",
        "Szegedy et al. 2014, section 4, fig. 2", "difference",
        {"reduced": inception_net, "not reduced": naive}, (better("reduced", "not reduced", 3.0),),
        (Match("macs", 0.05, ("reduced", "not reduced")),),
        caveat="The reductions double the depth. Without them the pooling branch passes every channel on, so the "
               "modules end wider.",
    ),
    Principle(
        "d17", "Filters of several sizes side by side beat 3x3 alone at equal MACs.",
        "Szegedy et al. 2014, sections 3 and 4", "difference",
        {"several sizes": inception_net, "3x3": one_size}, (better("several sizes", "3x3", 3.0),),
        (Match("macs", 0.05, ("several sizes", "3x3")),),
        caveat="Both reduce channels by 1x1 before larger filters. The paper argues, and gives no pair.",
    ),
)  # fmt: skip
