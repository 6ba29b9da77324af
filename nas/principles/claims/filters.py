"""Small filters, and what is between them (Simonyan & Zisserman 2014; Szegedy et al. 2016)."""

from nas.genome.graph import Graph, Value
from nas.genome.primitives import AsymmetricConv, ConvStack, ConvUnit, FactorizedConv
from nas.principles.claims.principle import Build, Match, Principle, better, no_worse
from nas.principles.claims.setting import Setting, plain_features, plain_stages, solve_width, times


def pairs(setting: Setting) -> Graph:
    """Return two 3x3 per stage: the network that the arms of this file and of others start from."""
    return setting.classifier(plain_features(setting))


def large(setting: Setting) -> Graph:
    """Return one 5x5 per stage, widened to the MACs of the pairs of 3x3."""
    return solve_width(lambda factor: _large(setting, factor), pairs(setting))


def _large(setting: Setting, factor: float) -> Graph:
    return setting.classifier(plain_stages(setting, lambda x, width, _: ConvUnit(width, 5)(x), factor))


def linear(setting: Setting) -> Graph:
    """Return two 3x3 per stage with batch norm but no ReLU between them."""
    return setting.classifier(plain_stages(setting, lambda x, width, _: FactorizedConv(width, 5, inner="none")(x)))


def pointwise(setting: Setting) -> Graph:
    """Return the pairs with a 1x1 after each pair of 3x3: configuration C."""
    return setting.classifier(_stacked(setting, 1.0, 1))


def third(setting: Setting) -> Graph:
    """Return the network with a third 3x3 instead, narrowed to the same MACs: configuration D."""
    return solve_width(lambda factor: setting.classifier(_stacked(setting, factor, 0)), pointwise(setting))


def _stacked(setting: Setting, factor: float, ones: int) -> Value:
    return plain_stages(setting, lambda x, width, _: ConvStack(width, 3, pointwise=ones)(x), factor)


def asymmetric(at: int) -> Build:
    """Return a builder of the pairs with the second 3x3 of stage `at` factorized into 1x3 and 3x1."""

    def layers(x: Value, width: int, stage: int) -> Value:
        second = AsymmetricConv(width, 3) if stage == at else ConvUnit(width)
        return second(ConvUnit(width)(x))

    return lambda setting: setting.classifier(plain_stages(setting, layers))


def reduced_pairs(setting: Setting) -> Graph:
    """Return the pairs with a 1x1 to a quarter of the channels before each second 3x3."""

    def layers(x: Value, width: int, _: int) -> Value:
        return ConvUnit(width)(ConvUnit(max(1, width // 4), 1)(ConvUnit(width)(x)))

    return setting.classifier(plain_stages(setting, layers))


def thin(setting: Setting) -> Graph:
    """Return the pairs, narrowed in all stages to the MACs of the reduced ones."""
    return solve_width(lambda factor: setting.classifier(plain_features(setting, factor)), reduced_pairs(setting))


def squeezed(at: int) -> Build:
    """Return a builder of the pairs with a squeeze to an eighth of the channels and back after those of stage `at`."""

    def layers(x: Value, width: int, stage: int) -> Value:
        x = ConvStack(width)(x)
        return ConvUnit(width, 1)(ConvUnit(max(1, width // 8), 1)(x)) if stage == at else x

    return lambda setting: setting.classifier(plain_stages(setting, layers))


def late(setting: Setting) -> Graph:
    """Return the pairs with the last stage twice as wide."""
    return _wide(setting, 1.0, 2.0)


def early(setting: Setting) -> Graph:
    """Return the pairs with the first stage widened to the MACs of the network that is wide late."""
    return solve_width(lambda factor: _wide(setting, factor, 1.0), late(setting))


def _wide(setting: Setting, early: float, late: float) -> Graph:
    factors = (early, 1.0, late)
    return setting.classifier(plain_stages(setting, lambda x, width, stage: ConvStack(times(width, factors[stage]))(x)))


POSITIONS = ("early", "in the middle", "late")

PRINCIPLES = (
    Principle(
        "h01", "Two stacked 3x3 convolutions beat one 5x5 at equal MACs.",
        "Simonyan & Zisserman 2014, section 4.1", "difference",
        {"two 3x3": pairs, "one 5x5": large}, (better("two 3x3", "one 5x5", 6.0),),
        (Match("macs", 0.03, ("two 3x3", "one 5x5")),),
        paper=7.0, paper_note="ImageNet top-1, configuration B and five 5x5 layers; their costs differ, no batch norm",
        caveat="The 5x5 network is wider and half as deep; a short schedule favors it.",
    ),
    Principle(
        "h02", "A ReLU between the two factors of a 5x5 is better than none.",
        "Szegedy et al. 2016, section 3.1, fig. 2", "difference",
        {"ReLU between": pairs, "linear": linear}, (better("ReLU between", "linear", 3.0),),
        (Match("params", 0, ("ReLU between", "linear")),),
        paper=1.0, paper_note="ImageNet top-1, accuracies of 77.2 and 76.2 %",
        caveat="Both have a batch norm between the factors.",
    ),
    Principle(
        "h03", "Another 1x1 helps, another 3x3 at the same MACs helps more.",
        "Simonyan & Zisserman 2014, section 4.1, table 3, configurations B, C and D", "difference",
        {"two 3x3": pairs, "two 3x3 and a 1x1": pointwise, "three 3x3, thinner": third},
        (better("three 3x3, thinner", "two 3x3 and a 1x1", 3.3), better("two 3x3 and a 1x1", "two 3x3", 1.8)),
        (Match("macs", 0.03, ("two 3x3 and a 1x1", "three 3x3, thinner")),),
        paper=1.1, paper_note="ImageNet top-1: B 28.7, C 28.1, D 27.0 %; D was not narrowed",
        caveat="The first network is cheaper than the others by its 1x1, and less deep.",
    ),
    Principle(
        "h04", "A 3x3 as 1x3 and 3x1 costs more accuracy on a grid of 32 than on one of 16.",
        "Szegedy et al. 2016, section 3.2", "difference",
        {"on the large grid": asymmetric(0), "on the medium grid": asymmetric(1)},
        (better("on the medium grid", "on the large grid", 1.5),),
        (Match("macs", 0.05, ("on the large grid", "on the medium grid")),),
        caveat="The interaction with the symmetric network, which cancels; the wider stage loses more parameters. The "
               "paper finds grids of 12 to 20 good, with 1x7 and 7x1. Images of 28 pixels have grids of 28 and 14.",
        enlarged=2,
    ),
    Principle(
        "h06", "A squeeze of the representation hurts more the earlier it is placed.",
        "Szegedy et al. 2016, section 2, principle 1", "trend",
        {position: squeezed(at) for at, position in enumerate(POSITIONS)},
        (better("late", "early", 4.5),),
        (Match("macs", 0.01, POSITIONS),),
        caveat="The fall of a straight line through three positions is that between the first and the last.",
    ),
    Principle(
        "h07", "Fewer channels before a 3x3 lose little, and less than a network narrowed to the same MACs.",
        "Szegedy et al. 2016, section 2, principle 3", "difference",
        {"reduced": reduced_pairs, "thinned": thin, "whole": pairs},
        (better("reduced", "thinned", 3.0), no_worse("reduced", "whole")),
        (Match("macs", 0.05, ("reduced", "thinned")),),
        caveat="The reduction adds a batch norm and a ReLU, and makes the network half as deep again; the whole "
               "network has twice the MACs and parameters.",
    ),
    Principle(
        "h08", "At equal MACs, channels added on the coarsest grid help more than on the first.",
        "Szegedy et al. 2016, section 3.2, fig. 7", "difference",
        {"wide late": late, "wide early": early}, (better("wide late", "wide early", 3.0),),
        (Match("macs", 0.03, ("wide late", "wide early")),),
        caveat="The network that is wide late has many more parameters.",
    ),
)  # fmt: skip
