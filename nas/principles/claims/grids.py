"""How the grid is made smaller (Szegedy et al. 2016; Springenberg et al. 2015; Zeiler & Fergus 2014)."""

from typing import Literal

from nas.genome.graph import Graph, Value
from nas.genome.primitives import ConvStack, ConvUnit, GridReduction, ImageNetStem
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Match, Principle, better, no_worse
from nas.principles.claims.residual import shallow
from nas.principles.claims.scale import Scale, blocks, first, solved

Form = Literal["conv first", "pool first", "parallel"]


def reduced(canvas: Scale, form: Form, factor: float = 1.0) -> Graph:
    """Two convolutions a stage, the grid halved between stages in one of three ways."""
    one, two, three = canvas.widths(factor)
    x = ConvStack(one)(canvas.image())
    for width in (two, three):
        x = ConvUnit(width)(GridReduction(width, form)(x))
    return canvas.answer(x)


def pool_first(canvas: Scale) -> Graph:
    return reduced(canvas, "pool first")


def conv_first(canvas: Scale) -> Graph:
    return reduced(canvas, "conv first")


def parallel(canvas: Scale) -> Graph:
    """What the parallel reduction saves is spent on width."""
    return solved(lambda factor: reduced(canvas, "parallel", factor), pool_first(canvas))


def strided(canvas: Scale) -> Graph:
    """The pairs without pooling, each second 3x3 at stride 2, wider for what that saves."""
    return solved(lambda factor: _unpooled(canvas, factor, ((3, 1), (3, 2))), pairs(canvas))


def all_conv(canvas: Scale) -> Graph:
    """The pairs with a third 3x3 at stride 2 in place of each pooling, thinned for what that costs."""
    return solved(lambda factor: _unpooled(canvas, factor, ((3, 1), (3, 1), (3, 2))), pairs(canvas))


def _unpooled(canvas: Scale, factor: float, steps: tuple[tuple[int, int], ...]) -> Graph:
    x: Value = canvas.image()
    for width in canvas.widths(factor):
        for kernel, stride in steps:
            x = ConvUnit(width, kernel, stride)(x)
    return canvas.answer(x)


def large_stem(canvas: Scale) -> Graph:
    """7x7 at stride 2 and a pooling, the network behind them wider for what that saves."""
    return solved(lambda factor: _large_stem(canvas, factor), shallow(canvas))


def _large_stem(canvas: Scale, factor: float) -> Graph:
    x = ImageNetStem(first(canvas, factor))(canvas.image())
    return canvas.answer(blocks(canvas, x, canvas.shallow, factor)[-1])


PRINCIPLES = (
    Principle(
        "h05", "Convolution and pooling side by side halve the grid better than pooling first, and as well as "
        "the dearer convolution first.",
        "Szegedy et al. 2016, section 5, figs. 9 and 10", "difference",
        {"parallel": parallel, "pool first": pool_first, "conv first": conv_first},
        (better("parallel", "pool first", 0.3, 1.0), no_worse("parallel", "conv first", 0.5, 0.0)),
        (Match("macs", 0.03, ("parallel", "pool first")),),
        watch="Convolution first costs more MACs, which is the claim's point.",
    ),
    Principle(
        "h23", "A small dense stem beats a large strided one at equal MACs.",
        "Zeiler & Fergus 2014, section 4.1, table 2", "difference",
        {"3x3": shallow, "7x7 at stride 2, pooled": large_stem},
        (better("3x3", "7x7 at stride 2, pooled", 1.0, 5.0),),
        (Match("macs", 0.05, ("3x3", "7x7 at stride 2, pooled")),),
        paper=2.1, paper_note="ImageNet top-1: 40.5 and 38.4 %, 11x11 at stride 4 and 7x7 at stride 2",
        watch="The network behind the large stem is several times wider.",
    ),
    Principle(
        "h25", "Convolutions at stride 2 in place of pooling cost accuracy; added in its place they do not.",
        "Springenberg et al. 2015, section 3.2, table 3", "difference",
        {"pooling": pairs, "strided": strided, "all convolution": all_conv},
        (better("pooling", "strided", 0.2, 0.8), no_worse("all convolution", "pooling", 0.3, 0.5)),
        (Match("macs", 0.03, ("pooling", "strided", "all convolution")),),
        paper=0.45, paper_note="CIFAR-10, model C: max-pooling 9.74, strided 10.19, all convolution 9.08 %",
        watch="Widths differ, so that MACs do not.",
    ),
)  # fmt: skip
