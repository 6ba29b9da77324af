"""The last layers, and heads for training only (Lin et al. 2013; Szegedy et al. 2014, 2016)."""

from nas.genome.graph import Graph
from nas.genome.primitives import FcHead, GapHead
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Build, Match, Principle, better, equivalent, no_worse
from nas.principles.claims.residual import deep
from nas.principles.claims.scale import Scale, plain, residual


def connected(dropout: float) -> Build:
    """The pairs with a fully connected hidden layer eight times as wide as the first stage."""

    def build(canvas: Scale) -> Graph:
        return Graph.of(FcHead(canvas.task.classes, (8 * canvas.width,), dropout)(plain(canvas)))

    return build


def helped(canvas: Scale) -> Graph:
    """The deep residual network with a second answer read off its second stage, in training only."""
    _, middle, last = residual(canvas, canvas.deep)
    return canvas.answer(last, GapHead(canvas.task.classes)(middle))


PRINCIPLES = (
    Principle(
        "h17", "Global average pooling beats a fully connected head without dropout, and is no worse than one with.",
        "Lin et al. 2013, sections 3.2 and 4.6, table 5", "difference",
        {"average": pairs, "connected": connected(0.0), "connected, dropout": connected(0.5)},
        (better("average", "connected", 0.3, 1.0), no_worse("average", "connected, dropout", 0.5, 0.0)),
        (Match("macs", 0.06, ("average", "connected", "connected, dropout")),),
        paper=1.18, paper_note="CIFAR-10, Network in Network: connected 11.59, with dropout 10.88, average 10.41 %",
        watch="A short schedule leaves less to be over-fitted.",
    ),
    Principle(
        "h20", "An auxiliary head does not speed up early training, and lowers the final error a little.",
        "Szegedy et al. 2016, section 4", "equivalence",
        {"with a head": helped, "without": deep},
        (better("with a head", "without", 0.2, 0.4),
         *equivalent("with a head", "without", 0.05, "early_loss")),
        (Match("params", 0, ("with a head", "without")),),
        paper=0.4, paper_note="ImageNet top-1, the gain of batch norm in the auxiliary head",
        watch="The weight of the head's loss is the recipe's.",
    ),
)  # fmt: skip
