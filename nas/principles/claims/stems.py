"""The first layers, and how many pixels they read (Zeiler & Fergus 2014; Szegedy et al. 2016)."""

from nas.genome.graph import Graph, Value
from nas.genome.primitives import AvgPool, ConvStack, ConvUnit, ImageNetStem, Stem
from nas.principles.claims.principle import Match, Principle, better, no_worse
from nas.principles.claims.residual import shallow
from nas.principles.claims.setting import Setting, basic_stages, solve_width, stem_width

WIDE = 2.0  # of a stem at stride 2 on images of twice the side, behind which the grids are the study's


def behind(stem: Value, setting: Setting, factor: float = 1.0) -> Graph:
    """Return the blocks of the shallow residual network behind a stem."""
    return setting.classifier(basic_stages(setting, stem, setting.shallow, factor)[-1])


def pooled_stem(setting: Setting) -> Graph:
    """Return a 7x7 at stride 2 and a pooling, with the network after them widened to the same MACs."""

    def build(factor: float) -> Graph:
        return behind(ImageNetStem(stem_width(setting, factor))(setting.image()), setting, factor)

    return solve_width(build, shallow(setting))


def whole_image(setting: Setting) -> Graph:
    """Return the network behind a stem at stride 2."""
    return behind(Stem(stem_width(setting, WIDE), 2)(setting.image()), setting, WIDE)


def half_image(setting: Setting) -> Graph:
    """Return the network behind a stem at stride 1, on the image averaged to half its side."""
    return behind(Stem(stem_width(setting, WIDE))(AvgPool(2, 2)(setting.image())), setting, WIDE)


def small_filters(setting: Setting) -> Graph:
    """Return the network behind three 3x3, the first at stride 2."""
    width = stem_width(setting, WIDE)
    return behind(ConvStack(width)(ConvUnit(width, stride=2)(setting.image())), setting, WIDE)


def large_filter(setting: Setting) -> Graph:
    """Return the network behind one 7x7 at stride 2, widened to the MACs of the one behind three 3x3."""

    def build(factor: float) -> Graph:
        return behind(ConvUnit(stem_width(setting, factor), 7, 2)(setting.image()), setting, factor)

    return solve_width(build, small_filters(setting))


HALF, WHOLE = "half the side, stride 1", "the whole, stride 2"

PRINCIPLES = (
    Principle(
        "h22", "Half the pixels per side lose little where the first stride is removed, which keeps the cost.",
        "Szegedy et al. 2016, section 9, table 2", "difference",
        {HALF: half_image, WHOLE: whole_image}, (no_worse(HALF, WHOLE, -0.6),),
        (Match("macs", 0, (HALF, WHOLE)), Match("params", 0, (HALF, WHOLE))),
        paper=-0.2, paper_note="ImageNet top-1, 151 and 299 pixels (recalled): accuracies of 76.4 and 76.6 %",
        caveat="Images this small lose more of what they show than the paper's.",
        enlarged=2,
    ),
    Principle(
        "h23", "A small dense stem beats a large strided one at equal MACs.",
        "Zeiler & Fergus 2014, section 4.1, table 2", "difference",
        {"3x3": shallow, "7x7 at stride 2, pooled": pooled_stem},
        (better("3x3", "7x7 at stride 2, pooled", 15.0),),
        (Match("macs", 0.05, ("3x3", "7x7 at stride 2, pooled")),),
        paper=2.1, paper_note="ImageNet top-1: 40.5 and 38.4 %, 11x11 at stride 4 and 7x7 at stride 2",
        caveat="The network after the large stem is several times wider, with more than ten times the parameters.",
    ),
    Principle(
        "d16", "Three 3x3 are a better stem than one 7x7 at equal MACs.",
        "Szegedy et al. 2016, section 6, table 3", "difference",
        {"three 3x3": small_filters, "one 7x7": large_filter}, (better("three 3x3", "one 7x7", 3.6),),
        (Match("macs", 0.05, ("three 3x3", "one 7x7")),),
        paper=1.2, paper_note="ImageNet top-1, Inception-v2 with label smoothing (recalled): 21.6 and 22.8 %",
        caveat="The small stem is two layers deeper and sees 11 pixels, not 7.",
        enlarged=2,
    ),
)  # fmt: skip
