"""Blocks of small networks: depthwise convolutions, their kernels, expansion, gates and nonlinearities.

All claims but the first vary one network of inverted residual blocks (Sandler et al. 2018) in one setting.
"""

from nas.genome.graph import Graph
from nas.genome.primitives import ConvUnit, DepthwiseSeparable, InvertedResidual, MaxPool
from nas.genome.primitives.gates import ChannelGate
from nas.genome.primitives.units import Activation, DepthwiseKernel
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Build, Match, Principle, better, falls
from nas.principles.claims.setting import STAGES, Setting, solve_width, stem_width, times

EXPANSION = 4.0


def separable(setting: Setting) -> Graph:
    """Return the pairs with depthwise separable convolutions, widened to the pairs' MACs.

    A 3x3 loses parameters and MACs by the same factor, so the parameters are about equal, too.
    """
    return solve_width(lambda factor: _separable(setting, factor), pairs(setting))


def _separable(setting: Setting, factor: float) -> Graph:
    """Return the pairs of 3x3 with all but the first, which reads three channels, as depthwise and 1x1."""
    x = setting.image()
    for stage, width in enumerate(setting.widths(factor)):
        for layer in range(2 * setting.repeats):
            x = DepthwiseSeparable(width)(x) if stage or layer else ConvUnit(width)(x)
        x = MaxPool(2, 2)(x)
    return setting.classifier(x)


def mobile_net(
    setting: Setting,
    factor: float = 1.0,
    kernel: DepthwiseKernel = 3,
    expansion: float = EXPANSION,
    gate: ChannelGate = "none",
    activation: Activation = "relu",
) -> Graph:
    """Return inverted residual blocks between a stem and a 1x1 (Sandler et al. 2018, table 2, reduced).

    Stages have one block more than the setting repeats layers. A gate has a quarter of the block's input channels
    inside, as in MnasNet and EfficientNet.
    """
    x = ConvUnit(stem_width(setting, factor), activation=activation)(setting.image())
    for stage in range(STAGES):
        width = times(setting.width / 2, factor * setting.growth**stage)
        for block in range(1 + setting.repeats):
            stride = 2 if stage and not block else 1
            x = InvertedResidual(width, expansion, kernel, stride, gate, 1 / (4 * expansion), activation)(x)
    return setting.classifier(ConvUnit(4 * setting.width, 1, activation=activation)(x))


def plain(setting: Setting) -> Graph:
    """Return the network of inverted residual blocks that the arms of this file vary."""
    return mobile_net(setting)


def with_gates(setting: Setting) -> Graph:
    """Return the network with squeeze-and-excitation in every block."""
    return mobile_net(setting, gate="se")


def thin_with_gates(setting: Setting) -> Graph:
    """Return the network with squeeze-and-excitation, narrowed to the parameters of the network without."""
    return solve_width(lambda factor: mobile_net(setting, factor, gate="se"), plain(setting), "params")


def with_kernel(kernel: DepthwiseKernel) -> Build:
    """Return a builder of the network with this depthwise kernel, widened to the MACs of a 7x7."""
    return lambda setting: solve_width(
        lambda factor: mobile_net(setting, factor, kernel), mobile_net(setting, kernel=7)
    )


def wide_outside(setting: Setting) -> Graph:
    """Return the network with a quarter of the channels inside the blocks, widened to the same MACs."""
    return solve_width(lambda factor: mobile_net(setting, factor, expansion=1 / EXPANSION), plain(setting))


def silu(setting: Setting) -> Graph:
    return mobile_net(setting, activation="silu")


KERNELS: tuple[DepthwiseKernel, ...] = (3, 5, 7)
SIZES = tuple(f"{kernel}x{kernel}" for kernel in KERNELS)

PRINCIPLES = (
    Principle(
        "h31", "Depthwise separable convolutions beat full ones at equal MACs and parameters.",
        "Chollet 2017, section 4.5, tables 1 and 3; Zhang et al. 2018, table 4", "difference",
        {"separable": separable, "full": pairs}, (better("separable", "full", 3.0),),
        (Match("macs", 0.03, ("separable", "full")), Match("params", 0.1, ("separable", "full"))),
        paper=0.8, paper_note="ImageNet top-1, Xception and Inception-v3: accuracies of 79.0 and 78.2 %",
        caveat="The separable network is almost three times as wide, with nearly twice as many layers.",
    ),
    Principle(
        "h32", "Squeeze-and-excitation in the blocks is better than none at equal MACs.",
        "Hu et al. 2018, section 5.1, tables 3 and 4", "difference",
        {"gated": with_gates, "none": plain}, (better("gated", "none", 3.0),),
        (Match("macs", 0.03, ("gated", "none")),),
        paper=1.16, paper_note="CIFAR-10, ResNet-110: 6.37 and 5.21 %",
        caveat="The gates add a sixth to the parameters, and two small layers per block to the depth.",
    ),
    Principle(
        "h33", "Squeeze-and-excitation in the blocks is better than none at equal parameters.",
        "Hu et al. 2018, section 6.1, table 10", "difference",
        {"gated": thin_with_gates, "none": plain}, (better("gated", "none", 2.4),),
        (Match("params", 0.03, ("gated", "none")),),
        caveat="The paper gives no pair at equal parameters; the gated network has fewer MACs, and two small layers "
               "more per block.",
    ),
    Principle(
        "h34", "A larger depthwise kernel is better, from 3x3 over 5x5 to 7x7, at equal MACs.",
        "Liu et al. 2022, section 2.5; Tan & Le 2019 (MixConv), fig. 1", "trend",
        {size: with_kernel(kernel) for size, kernel in zip(SIZES, KERNELS, strict=True)},
        (falls(SIZES, 2.1),),
        (Match("macs", 0.05, SIZES),),
        paper=0.7, paper_note="ImageNet top-1, 3x3 and 7x7 at about equal MACs: accuracies of 79.9 and 80.6 %",
        caveat="On small images the last stage is hardly larger than the kernel.",
    ),
    Principle(
        "h35", "Blocks that are wide inside beat blocks that are wide outside at equal MACs.",
        "Sandler et al. 2018, section 3.3; Liu et al. 2022, section 2.4", "difference",
        {"wide inside": plain, "wide outside": wide_outside}, (better("wide inside", "wide outside", 2.1),),
        (Match("macs", 0.03, ("wide inside", "wide outside")),),
        paper=0.1, paper_note="ImageNet top-1, ResNet-50 with and without inversion: accuracies of 80.6 and 80.5 %",
        caveat="Radosavovic et al. 2020 (section 4, fig. 14) find the inversion slightly worse. Wide outside has "
               "up to a seventh more parameters.",
    ),
    Principle(
        "h36", "SiLU is better than ReLU.",
        "Ramachandran et al. 2017, abstract; Elfwing et al. 2018", "difference",
        {"SiLU": silu, "ReLU": plain}, (better("SiLU", "ReLU", 2.7),),
        (Match("macs", 0, ("SiLU", "ReLU")), Match("params", 0, ("SiLU", "ReLU"))),
        paper=0.9, paper_note="ImageNet top-1, the gain of Mobile NASNet-A",
        caveat="The learning rate was not tuned for either.",
    ),
)  # fmt: skip
