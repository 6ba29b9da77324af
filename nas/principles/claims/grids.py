"""How the grid is reduced (Szegedy et al. 2016; Springenberg et al. 2015; Krizhevsky et al. 2012)."""

from typing import Literal

from nas.genome.graph import Graph, Value
from nas.genome.primitives import ConvStack, ConvUnit, GridReduction, MaxPool
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Match, Principle, better, no_worse
from nas.principles.claims.setting import Setting, plain_features, solve_width

Form = Literal["conv first", "pool first", "parallel"]


def grid_net(setting: Setting, form: Form, factor: float = 1.0) -> Graph:
    """Return two convolutions per stage with the grid halved between stages in one of three ways."""
    one, *more = setting.widths(factor)
    x = ConvStack(one, 2 * setting.repeats)(setting.image())
    for width in more:
        width = max(width, x.shape[0] + 1)  # a parallel reduction adds channels
        x = ConvStack(width, 2 * setting.repeats - 1)(GridReduction(width, form)(x))
    return setting.classifier(x)


def pool_first(setting: Setting) -> Graph:
    return grid_net(setting, "pool first")


def conv_first(setting: Setting) -> Graph:
    return grid_net(setting, "conv first")


def parallel(setting: Setting) -> Graph:
    """Return the network with parallel reductions, widened to the MACs of pooling first."""
    return solve_width(lambda factor: grid_net(setting, "parallel", factor), pool_first(setting))


def strided(setting: Setting) -> Graph:
    """Return the pairs without pooling, each second 3x3 at stride 2, widened to the same MACs."""
    return solve_width(lambda factor: _unpooled(setting, factor, 2 * setting.repeats), pairs(setting))


def all_conv(setting: Setting) -> Graph:
    """Return the pairs with a third 3x3 at stride 2 in place of each pooling, narrowed to the same MACs."""
    return solve_width(lambda factor: _unpooled(setting, factor, 2 * setting.repeats + 1), pairs(setting))


def _unpooled(setting: Setting, factor: float, layers: int) -> Graph:
    """Return stages of so many 3x3, the last of which has stride 2."""
    x: Value = setting.image()
    for width in setting.widths(factor):
        x = ConvUnit(width, stride=2)(ConvStack(width, layers - 1)(x))
    return setting.classifier(x)


def overlapping(setting: Setting) -> Graph:
    """Return the pairs with 3x3 pooling at stride 2, to the same grids as with 2x2."""
    return setting.classifier(plain_features(setting, pool=MaxPool(3, 2, ceil=True)))


PRINCIPLES = (
    Principle(
        "h05", "Parallel convolution and pooling halve the grid better than pooling first, and as well as the more "
        "expensive convolution first.",
        "Szegedy et al. 2016, section 5, figs. 9 and 10", "difference",
        {"parallel": parallel, "pool first": pool_first, "conv first": conv_first},
        (better("parallel", "pool first", 3.0), no_worse("parallel", "conv first")),
        (Match("macs", 0.03, ("parallel", "pool first")),),
        caveat="Convolution first costs more MACs, which is the claim's point.",
    ),
    Principle(
        "h25", "Convolutions at stride 2 in place of pooling cost accuracy; added in its place they do not.",
        "Springenberg et al. 2015, section 3.2, table 3", "difference",
        {"pooling": pairs, "strided": strided, "all convolution": all_conv},
        (better("pooling", "strided", 2.4), no_worse("all convolution", "pooling", 1.5)),
        (Match("macs", 0.03, ("pooling", "strided", "all convolution")),),
        paper=0.45, paper_note="CIFAR-10, model C: max-pooling 9.74, strided 10.19, all convolution 9.08 %",
        caveat="Widths differ so that MACs are equal; the strided network has more parameters. Convolution in place of "
               "pooling adds three layers and more.",
    ),
    Principle(
        "d06", "Overlapping pooling, 3x3 at stride 2, is better than 2x2 at stride 2.",
        "Krizhevsky et al. 2012, section 3.4", "difference",
        {"3x3": overlapping, "2x2": pairs}, (better("3x3", "2x2", 1.2),),
        (Match("macs", 0, ("3x3", "2x2")), Match("params", 0, ("3x3", "2x2"))),
        paper=0.4, paper_note="ImageNet top-1 (recalled), the gain of overlapping pooling in AlexNet",
        caveat="On the smallest grid a window of 3 is nearly the whole image.",
    ),
)  # fmt: skip
