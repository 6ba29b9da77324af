"""What to spend more computation on: depth, width or both (Tan & Le 2019; Simonyan & Zisserman 2014)."""

from nas.genome.graph import Graph, Value
from nas.genome.primitives import ConvStack
from nas.principles.claims.filters import pairs
from nas.principles.claims.large_filters import stacked
from nas.principles.claims.principle import Match, Principle, better, falls
from nas.principles.claims.residual import deep, net, net_like, shallow
from nas.principles.claims.setting import Setting, plain_stages, times


def with_blocks(setting: Setting, factor: int) -> int:
    """Return the layers of a network with so many times the blocks of the shallow one."""
    return factor * (setting.shallow - 2) + 2


def deeper(setting: Setting) -> Graph:
    """Return the shallow residual network with four times the blocks, so about four times the MACs."""
    return net(with_blocks(setting, 4))(setting)


def wider(setting: Setting) -> Graph:
    """Return the shallow residual network, widened to the MACs of the deeper one."""
    return net_like(setting, setting.shallow, deeper(setting))


def deeper_and_wider(setting: Setting) -> Graph:
    """Return a residual network with twice the blocks, widened to the MACs of the deeper one."""
    return net_like(setting, with_blocks(setting, 2), deeper(setting))


def more_filters(setting: Setting) -> Graph:
    """Return the pairs with twice the filters in all stages but the first."""

    def layers(x: Value, width: int, stage: int) -> Value:
        return ConvStack(times(width, 2.0 if stage else 1.0))(x)

    return setting.classifier(plain_stages(setting, layers))


DEPTHS = {"one 3x3": stacked(1), "two 3x3": pairs, "three 3x3": stacked(3)}

PRINCIPLES = (
    Principle(
        "h19", "Four times the MACs are better spent on depth and width together than on one of them.",
        "Tan & Le 2019 (EfficientNet), sections 3 and 5.1, table 3", "difference",
        {"both": deeper_and_wider, "depth": deeper, "width": wider},
        (better("both", "depth", 2.1), better("both", "width", 3.3)),
        (Match("macs", 0.05, ("both", "depth", "width")),),
        paper=0.7, paper_note="ImageNet top-1, ResNet-50: accuracies of 78.8 for compound scaling, 78.1 for depth "
                              "and 77.7 for width",
        caveat="The paper scales the resolution, too. At equal MACs the wider networks have more parameters, and the "
               "deeper ones learn more slowly.",
    ),
    Principle(
        "d09", "With shortcuts, deeper is better.",
        "He et al. 2015, section 4.2, table 6", "difference",
        {"deep": deep, "shallow": shallow}, (better("deep", "shallow", 5.4),),
        paper=1.78, paper_note="CIFAR-10, 56 and 20 layers: 6.97 and 8.75 %",
        caveat="Deeper networks learn more slowly; a short schedule hides part of the gain.",
        unmatched="Depth, and with it cost and parameters, is tested.",
    ),
    Principle(
        "d14", "More filters after the first stage lower the error.",
        "Zeiler & Fergus 2014, section 5.1, table 2", "difference",
        {"more filters": more_filters, "as many": pairs}, (better("more filters", "as many", 1.5),),
        paper=0.5, paper_note="ImageNet top-5, 512, 1024, 512 and 384, 384, 256 filters: 16.0 and 16.5 %",
        unmatched="Width, and with it cost and parameters, is tested.",
    ),
    Principle(
        "d15", "A deeper stack of 3x3 is better, from one to three per stage.",
        "Simonyan & Zisserman 2014, section 4.1, table 3", "trend",
        DEPTHS, (falls(tuple(DEPTHS), 7.8),),
        paper=2.6, paper_note="ImageNet top-1, configurations A, B and D of 11, 13 and 16 layers: 29.6, 28.7, 27.0 %",
        caveat="The paper's 19 layers are no better than its 16 (27.3 %).",
        unmatched="Depth, and with it cost and parameters, is tested.",
    ),
)  # fmt: skip
