"""The widths of RegNet: a line, quantized to stages (Radosavovic et al. 2020, "Designing network design spaces")."""

from collections.abc import Sequence
from math import log

from nas.genome.graph import Value
from nas.genome.primitives.residual import Bottleneck

DIVISOR = 8  # of all widths


def quantized_widths(width: int, slope: float, ratio: float, depth: int, stages: int | None = None) -> list[int]:
    """Return the width of each of `depth` blocks (section 3.3, equations 2 to 4).

    The line `width` + `slope` x block is rounded to `width` times a power of `ratio`, and that to a multiple of 8.
    Blocks of one width are a stage; the line ends where it reaches the last of `stages`.
    """
    powers = [round(log(1 + slope * block / width, ratio)) for block in range(depth)]
    last = max(powers) if stages is None else stages - 1
    return [max(DIVISOR, DIVISOR * round(width * ratio ** min(power, last) / DIVISOR)) for power in powers]


def regnet_blocks(x: Value, widths: Sequence[int], group_width: int, squeeze: float = 0.0) -> Value:
    """Return the value after one grouped bottleneck per width, the first of a stage at stride 2 (section 3.2, fig. 4).

    Widths are rounded to multiples of `group_width`, the channels of a group, halves up as in torchvision; a narrower
    one is a single group.
    """
    before = 0
    for width in widths:
        group = min(group_width, width)
        channels = group * int(width / group + 0.5)
        x = Bottleneck(channels, 1 if width == before else 2, 1, groups=channels // group, squeeze=squeeze)(x)
        before = width
    return x
