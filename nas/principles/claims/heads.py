"""The last layers, and heads for training only (Lin et al. 2013; Szegedy et al. 2014, 2016)."""

from nas.genome.graph import Graph
from nas.genome.primitives import FcHead, GapHead
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Build, Match, Principle, better, equivalent, no_worse
from nas.principles.claims.residual import deep
from nas.principles.claims.setting import Setting, plain_features, residual_stages


def connected(dropout: float) -> Build:
    """Return a builder of the pairs with a fully connected hidden layer eight times as wide as the first stage."""

    def build(setting: Setting) -> Graph:
        return Graph.of(FcHead(setting.task.classes, (8 * setting.width,), dropout)(plain_features(setting)))

    return build


def with_auxiliary_head(setting: Setting) -> Graph:
    """Return the deep residual network with an auxiliary head on its second stage, used in training only."""
    _, middle, last = residual_stages(setting, setting.deep)
    return setting.classifier(last, GapHead(setting.task.classes)(middle))


PRINCIPLES = (
    Principle(
        "h17", "Global average pooling beats a fully connected head without dropout, and is no worse than one with.",
        "Lin et al. 2013, sections 3.2 and 4.6, table 5", "difference",
        {"average": pairs, "connected": connected(0.0), "connected, dropout": connected(0.5)},
        (better("average", "connected", 1.0), no_worse("average", "connected, dropout")),
        (Match("macs", 0.06, ("average", "connected", "connected, dropout")),),
        paper=1.18, paper_note="CIFAR-10, Network in Network: connected 11.59, with dropout 10.88, average 10.41 %",
        caveat="A short schedule overfits less.",
    ),
    Principle(
        "h20", "An auxiliary head does not speed up early training, and lowers the final error a little.",
        "Szegedy et al. 2016, section 4", "equivalence",
        {"with a head": with_auxiliary_head, "without": deep},
        (better("with a head", "without", 0.4),
         *equivalent("with a head", "without", "early_loss")),
        (Match("params", 0, ("with a head", "without")),),
        paper=0.4, paper_note="ImageNet top-1, the gain of batch norm in the auxiliary head",
        caveat="The weight of the head's loss is the recipe's.",
    ),
)  # fmt: skip
