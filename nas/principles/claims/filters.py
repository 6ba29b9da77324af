"""Small filters, and what stands between them (Simonyan & Zisserman 2014; Szegedy et al. 2016)."""

from nas.genome.graph import Graph, Value
from nas.genome.primitives import AsymmetricConv, ConvStack, ConvUnit, FactorizedConv, MaxPool
from nas.principles.claims.principle import Build, Match, Principle, better, equivalent, no_worse
from nas.principles.claims.scale import Scale, plain, solved


def pairs(canvas: Scale) -> Graph:
    """Two 3x3 a stage: the network that the pairs of this page and others start from."""
    return canvas.answer(plain(canvas))


def large(canvas: Scale) -> Graph:
    """One 5x5 a stage, as wide as the pairs of 3x3 can pay for."""
    return solved(lambda factor: _large(canvas, factor), pairs(canvas))


def _large(canvas: Scale, factor: float) -> Graph:
    x = canvas.image()
    for width in canvas.widths(factor):
        x = MaxPool(2, 2)(ConvUnit(width, 5)(x))
    return canvas.answer(x)


def linear(canvas: Scale) -> Graph:
    """Two 3x3 a stage with a norm and no ReLU between them."""
    x = canvas.image()
    for width in canvas.widths():
        x = MaxPool(2, 2)(FactorizedConv(width, 5, inner="none")(x))
    return canvas.answer(x)


def pointwise(canvas: Scale) -> Graph:
    """A 1x1 behind each pair of 3x3: configuration C."""
    return canvas.answer(_stacked(canvas, 1.0, 1))


def third(canvas: Scale) -> Graph:
    """A third 3x3 instead, thinned to the same MACs: configuration D."""
    return solved(lambda factor: canvas.answer(_stacked(canvas, factor, 0)), pointwise(canvas))


def _stacked(canvas: Scale, factor: float, ones: int) -> Value:
    x = canvas.image()
    for width in canvas.widths(factor):
        x = MaxPool(2, 2)(ConvStack(width, 3, pointwise=ones)(x))
    return x


def asymmetric(at: int) -> Build:
    """The pairs, the second 3x3 of stage `at` as 1x3 and 3x1."""

    def build(canvas: Scale) -> Graph:
        x = canvas.image()
        for stage, width in enumerate(canvas.widths()):
            x = ConvUnit(width)(x)
            x = MaxPool(2, 2)(AsymmetricConv(width, 3)(x) if stage == at else ConvUnit(width)(x))
        return canvas.answer(x)

    return build


def reduced(canvas: Scale) -> Graph:
    """The pairs, each second 3x3 reading a quarter of the channels through a 1x1."""
    x = canvas.image()
    for width in canvas.widths():
        x = ConvUnit(width)(x)
        x = MaxPool(2, 2)(ConvUnit(width)(ConvUnit(max(1, width // 4), 1)(x)))
    return canvas.answer(x)


def thin(canvas: Scale) -> Graph:
    """The pairs, all thinner, at the MACs of the reduced ones."""
    return solved(lambda factor: canvas.answer(plain(canvas, factor)), reduced(canvas))


def squeezed(at: int) -> Build:
    """The pairs with a squeeze to an eighth of the channels and back behind stage `at`."""

    def build(canvas: Scale) -> Graph:
        x = canvas.image()
        for stage, width in enumerate(canvas.widths()):
            x = ConvStack(width)(x)
            if stage == at:
                x = ConvUnit(width, 1)(ConvUnit(max(1, width // 8), 1)(x))
            x = MaxPool(2, 2)(x)
        return canvas.answer(x)

    return build


def late(canvas: Scale) -> Graph:
    """The pairs, the last stage twice as wide."""
    return _wide(canvas, 1.0, 2.0)


def early(canvas: Scale) -> Graph:
    """The pairs, the first stage wider, at the MACs of the other."""
    return solved(lambda factor: _wide(canvas, factor, 1.0), late(canvas))


def _wide(canvas: Scale, early: float, late: float) -> Graph:
    x = canvas.image()
    for width, factor in zip(canvas.widths(), (early, 1.0, late), strict=True):
        x = MaxPool(2, 2)(ConvStack(max(1, round(width * factor)))(x))
    return canvas.answer(x)


PLACES = ("early", "in the middle", "late")

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
        paper=7.0, paper_note="ImageNet top-1, configuration B and five 5x5 layers; their costs differ, no norm",
        watch="The 5x5 network is wider and half as deep.",
    ),
    Principle(
        "h02", "A ReLU between the two factors of a 5x5 is better than nothing.",
        "Szegedy et al. 2016, section 3.1, fig. 2", "difference",
        {"ReLU between": pairs, "linear": linear}, (better("ReLU between", "linear", 0.3, 1.0),),
        (Match("params", 0, ("ReLU between", "linear")),),
        paper=1.0, paper_note="ImageNet top-1, 77.2 and 76.2 % right",
        watch="A norm stands between the factors in both.",
    ),
    Principle(
        "h03", "Another 1x1 helps, another 3x3 at the same MACs helps more.",
        "Simonyan & Zisserman 2014, section 4.1, table 3, configurations B, C and D", "difference",
        {"two 3x3": pairs, "two 3x3 and a 1x1": pointwise, "three 3x3, thinner": third},
        (better("three 3x3, thinner", "two 3x3 and a 1x1", 0.2, 1.1), better("two 3x3 and a 1x1", "two 3x3", 0.2, 0.6)),
        (Match("macs", 0.03, ("two 3x3 and a 1x1", "three 3x3, thinner")),),
        paper=1.1, paper_note="ImageNet top-1: B 28.7, C 28.1, D 27.0 %; D was not thinned",
        watch="The first network is cheaper than the others by its 1x1.",
    ),
    Principle(
        "h04", "A 3x3 as 1x3 and 3x1 costs more accuracy on the first, large grid than on the next.",
        "Szegedy et al. 2016, section 3.2", "difference",
        {"on the large grid": asymmetric(0), "on the medium grid": asymmetric(1)},
        (better("on the medium grid", "on the large grid", 0.2, 0.5),),
        (Match("macs", 0, ("on the large grid", "on the medium grid")),),
        watch="The interaction with the symmetric network, which cancels; the wider stage loses more parameters.",
    ),
    Principle(
        "h06", "A squeeze of the representation hurts more the earlier it stands.",
        "Szegedy et al. 2016, section 2, principle 1", "trend",
        {place: squeezed(at) for at, place in enumerate(PLACES)},
        (better("late", "early", 0.5, 1.5),),
        (Match("macs", 0.003, PLACES),),
        watch="The fall of a straight line through three places is that between the first and the last.",
    ),
    Principle(
        "h07", "Fewer channels before a 3x3 lose little, and less than a network thinned to the same MACs.",
        "Szegedy et al. 2016, section 2, principle 3", "difference",
        {"reduced": reduced, "thinned": thin, "whole": pairs},
        (better("reduced", "thinned", 0.3, 1.0), no_worse("reduced", "whole", 1.0, 0.0)),
        (Match("macs", 0.05, ("reduced", "thinned")),),
        watch="The reduction adds a norm and a ReLU; the whole network costs twice as much.",
    ),
    Principle(
        "h08", "At equal MACs, channels added on the coarsest grid do more than on the first.",
        "Szegedy et al. 2016, section 3.2, fig. 7", "difference",
        {"wide late": late, "wide early": early}, (better("wide late", "wide early", 0.3, 1.0),),
        (Match("macs", 0.03, ("wide late", "wide early")),),
        watch="The one that is wide late has many more parameters.",
    ),
)  # fmt: skip
