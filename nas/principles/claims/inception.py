"""Filters side by side (Szegedy et al. 2014)."""

from nas.genome.graph import Graph
from nas.genome.primitives import Inception, InceptionNaive, MaxPool, Stem
from nas.principles.claims.principle import Match, Principle, better
from nas.principles.claims.scale import Scale, solved, times


def reduced(canvas: Scale) -> Graph:
    """A module a stage with 1x1 reductions; half its channels are 3x3, an eighth 5x5."""
    x = Stem(canvas.width)(canvas.image())
    for channels in canvas.widths(2.0):
        few, some = max(1, channels // 8), max(1, channels // 4)
        x = MaxPool(2, 2)(Inception(some, some, 2 * some, max(1, few // 2), few, few, norm=True)(x))
    return canvas.answer(x)


def naive(canvas: Scale) -> Graph:
    """The same filters on the full input, thinned to the MACs of the reduced network."""
    return solved(lambda factor: _naive(canvas, factor), reduced(canvas))


def _naive(canvas: Scale, factor: float) -> Graph:
    x = Stem(canvas.width)(canvas.image())
    for channels in canvas.widths(2.0):
        one, three, five = (times(channels, factor * share) for share in (1 / 4, 1 / 2, 1 / 8))
        x = MaxPool(2, 2)(InceptionNaive(one, three, five, norm=True)(x))
    return canvas.answer(x)


PRINCIPLES = (
    Principle(
        "h27", "An inception module with 1x1 reductions beats one without at equal MACs.",
        "Szegedy et al. 2014, section 4, fig. 2", "difference",
        {"reduced": reduced, "not reduced": naive}, (better("reduced", "not reduced", 0.5, 1.0),),
        (Match("macs", 0.05, ("reduced", "not reduced")),),
        watch="Without reductions the pooling hands every channel on, so the modules end wider.",
    ),
)  # fmt: skip
