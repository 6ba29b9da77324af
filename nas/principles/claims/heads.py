"""The last layers, and heads for training only (Lin et al. 2013; Szegedy et al. 2014, 2016; Zeiler & Fergus 2014)."""

from nas.genome.graph import Graph, Value
from nas.genome.primitives import AuxiliaryHead, ConvStack, FcHead, GapHead
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Arm, Build, Match, Principle, better, equivalent, interaction, no_worse
from nas.principles.claims.residual import deep
from nas.principles.claims.setting import Setting, plain_features, plain_stages, residual_stages


def connected(dropout: float, norm: bool = True) -> Build:
    """Return a builder of the pairs with a fully connected hidden layer eight times as wide as the first stage."""

    def build(setting: Setting) -> Graph:
        x = plain_features(setting, norm=norm)
        return Graph.of(FcHead(setting.task.classes, (8 * setting.width,), dropout)(x))

    return build


def with_auxiliary_head(setting: Setting) -> Graph:
    """Return the deep residual network with an auxiliary head on its second stage, used in training only."""
    _, middle, last = residual_stages(setting, setting.deep)
    return setting.classifier(last, GapHead(setting.task.classes)(middle))


def with_hidden_auxiliary_head(norm: bool) -> Build:
    """Return a builder of the deep residual network with Inception's auxiliary head, with batch norm or without."""

    def build(setting: Setting) -> Graph:
        _, middle, last = residual_stages(setting, setting.deep)
        width = 2 * setting.width
        head = AuxiliaryHead(setting.task.classes, width, 4 * width, dropout=0.0, norm=norm, grid=2)
        return setting.classifier(last, head(middle))

    return build


def flattened(setting: Setting) -> Graph:
    """Return the pairs with one linear layer on all positions."""
    return Graph.of(FcHead(setting.task.classes, ())(plain_features(setting)))


def ablated(convolutions: bool, hidden: bool) -> Build:
    """Return a builder of the pairs with or without those of the middle stage, and two connected hidden layers."""

    def layers(x: Value, width: int, stage: int) -> Value:
        return ConvStack(width)(x) if convolutions or stage != 1 else x

    def build(setting: Setting) -> Graph:
        widths = (8 * setting.width,) * (2 if hidden else 0)
        return Graph.of(FcHead(setting.task.classes, widths, 0.0)(plain_stages(setting, layers)))

    return build


SHIFTED, UNSHIFTED = {"crop_padding": 4}, {"crop_padding": 0}

PRINCIPLES = (
    Principle(
        "h17", "Global average pooling beats a fully connected head without dropout, and is no worse than one with.",
        "Lin et al. 2013, sections 3.2 and 4.6, table 5", "difference",
        {"average": pairs, "connected": connected(0.0), "connected, dropout": connected(0.5)},
        (better("average", "connected", 3.0), no_worse("average", "connected, dropout")),
        (Match("macs", 0.06, ("average", "connected", "connected, dropout")),),
        paper=1.18, paper_note="CIFAR-10, Network in Network: connected 11.59, with dropout 10.88, average 10.41 %",
        caveat="A short schedule overfits less, and dropout slows training. Connected heads have more parameters.",
    ),
    Principle(
        "h20", "An auxiliary head does not speed up early training, and lowers the final error a little.",
        "Szegedy et al. 2016, section 4; Szegedy et al. 2014, section 5", "equivalence",
        {"with a head": with_auxiliary_head, "without": deep},
        (better("with a head", "without", 1.2),
         *equivalent("with a head", "without", "early_loss")),
        (Match("params", 0, ("with a head", "without")),),
        paper=0.5, paper_note="ImageNet, the gain of auxiliary heads in GoogLeNet (recalled), about 0.5 points",
        caveat="The weight of the head's loss is the recipe's.",
    ),
    Principle(
        "h26", "Removing convolutions and connected layers together hurts more than the sum of removing each.",
        "Zeiler & Fergus 2014, section 5.1, table 3", "interaction",
        {"whole": ablated(True, True), "no convolutions": ablated(False, True),
         "no connected layers": ablated(True, False), "neither": ablated(False, False)},
        (interaction(("no connected layers", "neither"), ("whole", "no convolutions"), 9.0),),
        paper=21.6, paper_note="ImageNet training top-1: whole 40.5, less two convolutions 45.4, less two connected "
                               "layers 44.8, less both 71.3 %",
        caveat="The convolutions are those of the middle stage of three; batch norm, and no dropout.",
        unmatched="What is removed, and with it depth, cost and parameters, is tested.",
    ),
    Principle(
        "d08", "Batch norm in an auxiliary head lowers the error of the network: such heads regularize.",
        "Szegedy et al. 2016, section 4", "difference",
        {"with norm": with_hidden_auxiliary_head(True), "without": with_hidden_auxiliary_head(False)},
        (better("with norm", "without", 1.2),),
        (Match("macs", 0, ("with norm", "without")), Match("params", 0, ("with norm", "without"))),
        paper=0.4, paper_note="ImageNet top-1, the gain of batch norm in the auxiliary head",
        caveat="The network is the same; only a head that is used in training differs.",
    ),
    Principle(
        "d10", "Averaging over positions loses nothing against a linear layer on all of them, and gains more on images "
        "that are not shifted in training.",
        "Lin et al. 2013, section 3.2", "interaction",
        {"average": Arm(pairs, SHIFTED), "positions": Arm(flattened, SHIFTED),
         "average, not shifted": Arm(pairs, UNSHIFTED), "positions, not shifted": Arm(flattened, UNSHIFTED)},
        (no_worse("average", "positions"),
         interaction(("average, not shifted", "positions, not shifted"), ("average", "positions"), 3.0)),
        (Match("macs", 0.03, ("average", "positions", "average, not shifted", "positions, not shifted")),),
        caveat="The linear layer on positions has more parameters. The paper argues that an average is robust to "
               "translations, and gives no pair.",
    ),
    Principle(
        "d11", "Dropout lowers the error of a network with a connected head.",
        "Krizhevsky et al. 2012, section 4.2; Lin et al. 2013, section 4.6, table 5", "difference",
        {"dropout": connected(0.5), "none": connected(0.0)}, (better("dropout", "none", 2.1),),
        (Match("macs", 0, ("dropout", "none")), Match("params", 0, ("dropout", "none"))),
        paper=0.71, paper_note="CIFAR-10, Network in Network with a connected head (recalled): 10.88 and 11.59 %",
        caveat="A short schedule overfits less, and dropout slows training.",
    ),
)  # fmt: skip
