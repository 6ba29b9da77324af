"""Small filters, and what is between them (Simonyan & Zisserman 2014; Szegedy et al. 2016)."""

from nas.genome.graph import Graph, Value
from nas.genome.primitives import AsymmetricConv, ConvStack, ConvUnit, FactorizedConv, MaxPool
from nas.principles.claims.principle import Build, Match, Principle, better, equivalent, no_worse
from nas.principles.claims.scale import Scale, plain_features, solve_width


def pairs(scale: Scale) -> Graph:
    """Return two 3x3 per stage: the network that the arms of this file and of others start from."""
    return scale.classifier(plain_features(scale))


def large(scale: Scale) -> Graph:
    """Return one 5x5 per stage, widened to the MACs of the pairs of 3x3."""
    return solve_width(lambda factor: _large(scale, factor), pairs(scale))


def _large(scale: Scale, factor: float) -> Graph:
    x = scale.image()
    for width in scale.widths(factor):
        x = MaxPool(2, 2)(ConvUnit(width, 5)(x))
    return scale.classifier(x)


def linear(scale: Scale) -> Graph:
    """Return two 3x3 per stage with batch norm but no ReLU between them."""
    x = scale.image()
    for width in scale.widths():
        x = MaxPool(2, 2)(FactorizedConv(width, 5, inner="none")(x))
    return scale.classifier(x)


def pointwise(scale: Scale) -> Graph:
    """Return the pairs with a 1x1 after each pair of 3x3: configuration C."""
    return scale.classifier(_stacked(scale, 1.0, 1))


def third(scale: Scale) -> Graph:
    """Return the network with a third 3x3 instead, narrowed to the same MACs: configuration D."""
    return solve_width(lambda factor: scale.classifier(_stacked(scale, factor, 0)), pointwise(scale))


def _stacked(scale: Scale, factor: float, ones: int) -> Value:
    x = scale.image()
    for width in scale.widths(factor):
        x = MaxPool(2, 2)(ConvStack(width, 3, pointwise=ones)(x))
    return x


def asymmetric(at: int) -> Build:
    """Return a builder of the pairs with the second 3x3 of stage `at` factorized into 1x3 and 3x1."""

    def build(scale: Scale) -> Graph:
        x = scale.image()
        for stage, width in enumerate(scale.widths()):
            x = ConvUnit(width)(x)
            x = MaxPool(2, 2)(AsymmetricConv(width, 3)(x) if stage == at else ConvUnit(width)(x))
        return scale.classifier(x)

    return build


def reduced_pairs(scale: Scale) -> Graph:
    """Return the pairs with a 1x1 to a quarter of the channels before each second 3x3."""
    x = scale.image()
    for width in scale.widths():
        x = ConvUnit(width)(x)
        x = MaxPool(2, 2)(ConvUnit(width)(ConvUnit(max(1, width // 4), 1)(x)))
    return scale.classifier(x)


def thin(scale: Scale) -> Graph:
    """Return the pairs, narrowed in all stages to the MACs of the reduced ones."""
    return solve_width(lambda factor: scale.classifier(plain_features(scale, factor)), reduced_pairs(scale))


def squeezed(at: int) -> Build:
    """Return a builder of the pairs with a squeeze to an eighth of the channels and back after stage `at`."""

    def build(scale: Scale) -> Graph:
        x = scale.image()
        for stage, width in enumerate(scale.widths()):
            x = ConvStack(width)(x)
            if stage == at:
                x = ConvUnit(width, 1)(ConvUnit(max(1, width // 8), 1)(x))
            x = MaxPool(2, 2)(x)
        return scale.classifier(x)

    return build


def late(scale: Scale) -> Graph:
    """Return the pairs with the last stage twice as wide."""
    return _wide(scale, 1.0, 2.0)


def early(scale: Scale) -> Graph:
    """Return the pairs with the first stage widened to the MACs of the network that is wide late."""
    return solve_width(lambda factor: _wide(scale, factor, 1.0), late(scale))


def _wide(scale: Scale, early: float, late: float) -> Graph:
    x = scale.image()
    for width, factor in zip(scale.widths(), (early, 1.0, late), strict=True):
        x = MaxPool(2, 2)(ConvStack(max(1, round(width * factor)))(x))
    return scale.classifier(x)


POSITIONS = ("early", "in the middle", "late")

PRINCIPLES = (
    Principle(
        "a00", "Control: one network under other seeds is equivalent to itself.", "no paper", "equivalence",
        {"a network": pairs, "the same again": pairs},
        equivalent("a network", "the same again", 1.0),
        (Match("macs", 0, ("a network", "the same again")),),
        control=True, offsets={"the same again": 1},
    ),
    Principle(
        "h01", "Two stacked 3x3 convolutions beat one 5x5 at equal MACs.",
        "Simonyan & Zisserman 2014, section 4.1", "difference",
        {"two 3x3": pairs, "one 5x5": large}, (better("two 3x3", "one 5x5", 0.5, 2.0),),
        (Match("macs", 0.03, ("two 3x3", "one 5x5")),),
        paper=7.0, paper_note="ImageNet top-1, configuration B and five 5x5 layers; their costs differ, no batch norm",
        caveat="The 5x5 network is wider and half as deep.",
    ),
    Principle(
        "h02", "A ReLU between the two factors of a 5x5 is better than none.",
        "Szegedy et al. 2016, section 3.1, fig. 2", "difference",
        {"ReLU between": pairs, "linear": linear}, (better("ReLU between", "linear", 0.3, 1.0),),
        (Match("params", 0, ("ReLU between", "linear")),),
        paper=1.0, paper_note="ImageNet top-1, accuracies of 77.2 and 76.2 %",
        caveat="Both have a batch norm between the factors.",
    ),
    Principle(
        "h03", "Another 1x1 helps, another 3x3 at the same MACs helps more.",
        "Simonyan & Zisserman 2014, section 4.1, table 3, configurations B, C and D", "difference",
        {"two 3x3": pairs, "two 3x3 and a 1x1": pointwise, "three 3x3, thinner": third},
        (better("three 3x3, thinner", "two 3x3 and a 1x1", 0.2, 1.1), better("two 3x3 and a 1x1", "two 3x3", 0.2, 0.6)),
        (Match("macs", 0.03, ("two 3x3 and a 1x1", "three 3x3, thinner")),),
        paper=1.1, paper_note="ImageNet top-1: B 28.7, C 28.1, D 27.0 %; D was not narrowed",
        caveat="The first network is cheaper than the others by its 1x1.",
    ),
    Principle(
        "h04", "A 3x3 as 1x3 and 3x1 costs more accuracy on the first, large grid than on the next.",
        "Szegedy et al. 2016, section 3.2", "difference",
        {"on the large grid": asymmetric(0), "on the medium grid": asymmetric(1)},
        (better("on the medium grid", "on the large grid", 0.2, 0.5),),
        (Match("macs", 0, ("on the large grid", "on the medium grid")),),
        caveat="The interaction with the symmetric network, which cancels; the wider stage loses more parameters.",
    ),
    Principle(
        "h06", "A squeeze of the representation hurts more the earlier it is placed.",
        "Szegedy et al. 2016, section 2, principle 1", "trend",
        {position: squeezed(at) for at, position in enumerate(POSITIONS)},
        (better("late", "early", 0.5, 1.5),),
        (Match("macs", 0.003, POSITIONS),),
        caveat="The fall of a straight line through three positions is that between the first and the last.",
    ),
    Principle(
        "h07", "Fewer channels before a 3x3 lose little, and less than a network narrowed to the same MACs.",
        "Szegedy et al. 2016, section 2, principle 3", "difference",
        {"reduced": reduced_pairs, "thinned": thin, "whole": pairs},
        (better("reduced", "thinned", 0.3, 1.0), no_worse("reduced", "whole", 1.0, 0.0)),
        (Match("macs", 0.05, ("reduced", "thinned")),),
        caveat="The reduction adds a batch norm and a ReLU; the whole network costs twice as much.",
    ),
    Principle(
        "h08", "At equal MACs, channels added on the coarsest grid help more than on the first.",
        "Szegedy et al. 2016, section 3.2, fig. 7", "difference",
        {"wide late": late, "wide early": early}, (better("wide late", "wide early", 0.3, 1.0),),
        (Match("macs", 0.03, ("wide late", "wide early")),),
        caveat="The network that is wide late has many more parameters.",
    ),
)  # fmt: skip
