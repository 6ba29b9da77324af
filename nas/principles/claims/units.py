"""What is in a unit beside its convolution: normalization, nonlinearity and dropout."""

from nas.genome.graph import Graph, Value
from nas.genome.layers import Conv
from nas.genome.norms import BatchNorm, LocalResponseNorm
from nas.genome.primitives import ConvUnit, Relu
from nas.principles.claims.filters import pairs
from nas.principles.claims.heads import connected
from nas.principles.claims.principle import Arm, Build, Match, Principle, better, interaction, no_worse
from nas.principles.claims.setting import Setting, plain_features, plain_stages

SLOW = {"learning_rate": 0.02}
"""The recipe of networks without batch norm, which may not leave the error of guessing at the rates of those with."""


def normalized_locally(norm: bool) -> Build:
    """Return a builder of the pairs with local response normalization between those of the first stage."""

    def layers(x: Value, width: int, stage: int) -> Value:
        x = ConvUnit(width, norm=norm)(x)
        return ConvUnit(width, norm=norm)(x if stage else LocalResponseNorm()(x))

    return lambda setting: setting.classifier(plain_stages(setting, layers))


def without_norm(setting: Setting) -> Graph:
    """Return the pairs without batch norm."""
    return setting.classifier(plain_features(setting, norm=False))


def norm_last(setting: Setting) -> Graph:
    """Return the pairs with each batch norm after its ReLU."""

    def layers(x: Value, width: int, _: int) -> Value:
        for _ in range(2):
            x = BatchNorm()(Relu()(Conv(width, 3)(x)))
        return x

    return setting.classifier(plain_stages(setting, layers))


def tanh(setting: Setting) -> Graph:
    """Return the pairs with tanh in place of ReLU."""

    def layers(x: Value, width: int, _: int) -> Value:
        return ConvUnit(width, activation="tanh")(ConvUnit(width, activation="tanh")(x))

    return setting.classifier(plain_stages(setting, layers))


PRINCIPLES = (
    Principle(
        "h24", "Local response normalization gains nothing, with batch norm or without.",
        "Simonyan & Zisserman 2014, section 4.1, table 3, configurations A and A-LRN", "difference",
        {"no norm": Arm(without_norm, SLOW), "local norm": Arm(normalized_locally(False), SLOW),
         "batch norm": pairs, "batch norm and local norm": normalized_locally(True)},
        (no_worse("no norm", "local norm", 0.3), no_worse("batch norm", "batch norm and local norm")),
        (Match("macs", 0, ("no norm", "local norm", "batch norm", "batch norm and local norm")),
         Match("params", 0, ("no norm", "local norm")),
         Match("params", 0, ("batch norm", "batch norm and local norm"))),
        paper=0.1, paper_note="ImageNet top-1, without batch norm: A 29.6, A-LRN 29.7 %",
        caveat="Krizhevsky et al. 2012 (section 3.3) report gains of 1.4 points. Networks without batch norm have a "
               "lower learning rate.",
    ),
    Principle(
        "d03", "Batch norm before the ReLU is better than after it.",
        "Ioffe & Szegedy 2015, section 3.2", "difference",
        {"norm before": pairs, "norm after": norm_last}, (better("norm before", "norm after", 1.5),),
        (Match("macs", 0, ("norm before", "norm after")), Match("params", 0, ("norm before", "norm after"))),
        caveat="The paper argues and gives no pair; Mishkin et al. 2016 (recalled) measure the opposite on ImageNet.",
    ),
    Principle(
        "d04", "Batch norm makes dropout needless: it gains nothing with batch norm, and more without.",
        "Ioffe & Szegedy 2015, sections 3.4 and 4.2.1", "interaction",
        {"batch norm": connected(0.0), "batch norm, dropout": connected(0.5),
         "no norm": Arm(connected(0.0, norm=False), SLOW), "no norm, dropout": Arm(connected(0.5, norm=False), SLOW)},
        (no_worse("batch norm", "batch norm, dropout"),
         interaction(("no norm, dropout", "no norm"), ("batch norm, dropout", "batch norm"), 3.0)),
        (Match("macs", 0, ("batch norm", "batch norm, dropout", "no norm", "no norm, dropout")),),
        caveat="Dropout acts in the connected layer; networks without batch norm have a lower learning rate. A short "
               "schedule overfits less, and dropout slows training.",
    ),
    Principle(
        "d05", "ReLU is better than tanh, early in training too.",
        "Krizhevsky et al. 2012, section 3.1, fig. 1", "difference",
        {"ReLU": pairs, "tanh": tanh},
        (better("ReLU", "tanh", 3.0), better("ReLU", "tanh", 0.1, "early_loss")),
        (Match("macs", 0, ("ReLU", "tanh")), Match("params", 0, ("ReLU", "tanh"))),
        caveat="Batch norm keeps tanh from saturating; the paper's networks have none. The initialization is ReLU's.",
    ),
)  # fmt: skip
