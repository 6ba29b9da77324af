"""A 7x7 as smaller filters (Simonyan & Zisserman 2014; Szegedy et al. 2016)."""

from nas.genome.graph import Graph, Value
from nas.genome.primitives import AsymmetricConv, ConvStack, ConvUnit
from nas.principles.claims.principle import Build, Match, Principle, better, no_worse
from nas.principles.claims.setting import Setting, plain_stages, solve_width


def stacked(depth: int) -> Build:
    """Return a builder of stages of so many 3x3."""
    return lambda setting: setting.classifier(plain_stages(setting, lambda x, width, _: ConvStack(width, depth)(x)))


def one(setting: Setting) -> Graph:
    """Return one 7x7 per stage, widened to the MACs of three 3x3."""
    return solve_width(lambda factor: _one(setting, factor), stacked(3)(setting))


def _one(setting: Setting, factor: float) -> Graph:
    return setting.classifier(plain_stages(setting, lambda x, width, _: ConvUnit(width, 7)(x), factor))


def on_medium_grid(factorized: bool) -> Build:
    """Return a builder of the pairs whose second convolution in the middle stage is a 7x7, or 1x7 and 7x1."""

    def layers(x: Value, width: int, stage: int) -> Value:
        x = ConvUnit(width)(x)
        if stage != 1:
            return ConvUnit(width)(x)
        return AsymmetricConv(width, 7)(x) if factorized else ConvUnit(width, 7)(x)

    return lambda setting: setting.classifier(plain_stages(setting, layers))


PRINCIPLES = (
    Principle(
        "d01", "Three stacked 3x3 convolutions beat one 7x7 at equal MACs.",
        "Simonyan & Zisserman 2014, section 2.3", "difference",
        {"three 3x3": stacked(3), "one 7x7": one}, (better("three 3x3", "one 7x7", 6.0),),
        (Match("macs", 0.03, ("three 3x3", "one 7x7")),),
        caveat="The 7x7 network is wider, with more parameters, and a third as deep; a short schedule favors it. The "
               "paper counts weights, and has no such pair.",
    ),
    Principle(
        "d02", "On a grid of 16, 1x7 and 7x1 are no worse than the 7x7 they replace.",
        "Szegedy et al. 2016, section 3.2", "difference",
        {"1x7 and 7x1": on_medium_grid(True), "7x7": on_medium_grid(False)},
        (no_worse("1x7 and 7x1", "7x7"),),
        caveat="The factors are two layers with a ReLU between them. Images of 28 pixels have a grid of 14.",
        unmatched="The MACs and parameters that the factors save are the claim's point.",
        enlarged=2,
    ),
)  # fmt: skip
