"""Controls: claims whose effect is known. They check the machinery, and are not counted."""

from collections.abc import Callable

from nas.genome.graph import Graph, Value
from nas.genome.layers import Concat
from nas.genome.primitives import ConvStack, ConvUnit
from nas.principles.claims.principle import Arm, Match, Principle, better
from nas.principles.claims.setting import Setting, plain_stages

HANDICAP = 3.0  # percent of the error
Join = Callable[[Value, Value], Value]


def two_branches(join: Join) -> Callable[[Setting], Graph]:
    """Return a builder of stages of two branches, a 3x3 and a pair of them, whose channels are joined."""

    def layers(x: Value, width: int, _: int) -> Value:
        return join(ConvUnit(width)(x), ConvStack(max(1, width // 2))(x))

    return lambda setting: setting.classifier(plain_stages(setting, layers))


ONE, OTHER = two_branches(lambda a, b: Concat()(a, b)), two_branches(lambda a, b: Concat()(b, a))
SAME = (Match("macs", 0, ("in one order", "in the other")), Match("params", 0, ("in one order", "in the other")))

PRINCIPLES = (
    Principle(
        "a00", "Control: a network is as good as itself with its branches in the other order.", "no paper",
        "difference",
        {"in one order": ONE, "in the other": OTHER}, (better("in one order", "in the other", 0.0),),
        SAME, control=0.0,
        caveat="Two fingerprints, two initializations, one function class.",
    ),
    Principle(
        "a01", f"Control: a network is better than itself with {HANDICAP:g} % added to its error.",
        "no paper", "difference",
        {"in one order": ONE, "in the other": Arm(OTHER, handicap=HANDICAP)},
        (better("in one order", "in the other", HANDICAP),),
        SAME, control=HANDICAP,
    ),
)  # fmt: skip
