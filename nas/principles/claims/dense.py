"""Dense connectivity (Huang et al. 2017)."""

from nas.genome.graph import Graph
from nas.principles.claims.principle import Build, Match, Principle, better, falls, no_worse
from nas.principles.claims.residual import net_like
from nas.principles.claims.setting import Setting, dense_net, solve_width


def depth(setting: Setting) -> int:
    """Return the layers per dense block, of two convolutions each: 16 or more weighted layers in the network."""
    return 1 + setting.repeats


def growth(setting: Setting) -> int:
    """Return the smallest growth rate of the ladder; 16 at full size."""
    return max(1, setting.width // 2)


def compact(factor: float) -> Build:
    """Return a builder of DenseNet-BC with the growth times a factor."""
    return lambda setting: dense_net(setting, growth(setting) * factor, depth(setting))


def residual_of_equal_params(setting: Setting) -> Graph:
    """Return a residual network about as deep as the dense one, with its parameters."""
    return net_like(setting, 6 * depth(setting) + 2, compact(1.0)(setting), "params")


def deep_and_thin(setting: Setting) -> Graph:
    """Return a DenseNet-BC with twice the layers and the parameters of the widest of the ladder."""

    def build(factor: float) -> Graph:
        return dense_net(setting, growth(setting) * factor, 2 * depth(setting))

    return solve_width(build, compact(2.0)(setting), "params")


def without_bottlenecks(setting: Setting) -> Graph:
    """Return as many weighted layers without bottlenecks or compression, narrowed to the same parameters."""

    def build(factor: float) -> Graph:
        return dense_net(setting, growth(setting) * factor, 2 * depth(setting), False, 1.0)

    return solve_width(build, compact(1.0)(setting), "params")


LADDER = {"growth x 1": compact(1.0), "growth x 1.5": compact(1.5), "growth x 2": compact(2.0)}

PRINCIPLES = (
    Principle(
        "h14", "Dense connectivity beats shortcuts at equal parameters.",
        "Huang et al. 2017, section 4.3, table 2, fig. 4", "difference",
        {"dense": compact(1.0), "residual": residual_of_equal_params}, (better("dense", "residual", 4.5),),
        (Match("params", 0.05, ("dense", "residual")),),
        paper=2.46, paper_note="CIFAR-10: DenseNet-BC of 0.77 M parameters 4.51, ResNet-56 of 0.85 M 6.97 %",
        caveat="At equal parameters the dense network has several times the MACs.",
    ),
    Principle(
        "h15", "The error falls with the growth rate, and wide and shallow is no worse than thin and deep.",
        "Huang et al. 2017, section 4.2, table 2", "trend",
        {**LADDER, "thin and deep": deep_and_thin},
        (falls(tuple(LADDER), 9.0), no_worse("growth x 2", "thin and deep")),
        (Match("params", 0.12, ("growth x 2", "thin and deep")),),
        paper=0.36, paper_note="CIFAR-10, 100 layers, growth 12 and 24: 4.10 and 3.74 %",
        caveat="Parameters and MACs grow along the ladder; they are about equal in the second comparison.",
    ),
    Principle(
        "h16", "At equal parameters, bottlenecks and compression beat a narrower network without them.",
        "Huang et al. 2017, section 4.3, fig. 4 left", "difference",
        {"with both": compact(1.0), "with neither": without_bottlenecks},
        (better("with both", "with neither", 3.0),),
        (Match("params", 0.15, ("with both", "with neither")),),
        caveat="The network with both has more MACs. Growth is a whole number, so the match is coarse at small widths.",
    ),
)  # fmt: skip
