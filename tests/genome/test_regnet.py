"""The stages of RegNet against those that the paper lists for its best models."""

from collections.abc import Sequence
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.genome import Graph, Input, Value
from nas.genome.primitives import Bottleneck, GapHead, Stem
from nas.genome.primitives.regnet import quantized_widths, regnet_blocks

# First width, slope, ratio and depth; channels of a group; widths and depths of the stages (Radosavovic et al. 2020).
LISTED = {
    "X-200MF": ((24, 36.44, 2.49, 13), 8, (24, 56, 152, 368), (1, 1, 4, 7)),
    "X-800MF": ((56, 35.73, 2.28, 16), 16, (64, 128, 288, 672), (1, 3, 7, 5)),
    "Y-400MF": ((48, 27.89, 2.09, 16), 8, (48, 104, 208, 440), (1, 3, 6, 6)),
}  # fmt: skip


def blocks(widths: Sequence[int], group_width: int, squeeze: float = 0.0) -> list[Bottleneck]:
    x: Value = regnet_blocks(Stem(16)(Input((3, 32, 32))()), widths, group_width, squeeze)
    return [node.op for node in Graph.of(GapHead(10)(x)).nodes if isinstance(node.op, Bottleneck)]


@pytest.mark.parametrize("name", LISTED)
def test_listed_stages(name: str) -> None:
    parameters, group_width, widths, depths = LISTED[name]
    ops = blocks(quantized_widths(*parameters), group_width)
    stages = [(width, len(list(group))) for width, group in groupby(ops, lambda op: op.width)]
    assert stages == list(zip(widths, depths, strict=True))
    assert {op.width // op.groups for op in ops} == {group_width}
    assert [op.stride for op in ops].count(2) == len(stages)


@given(st.integers(1, 8), st.floats(1, 64), st.floats(1.5, 3), st.integers(1, 24), st.sampled_from([None, 1, 2, 4]))
def test_widths_rise_in_stages(eighths: int, slope: float, ratio: float, depth: int, most: int | None) -> None:
    widths = quantized_widths(8 * eighths, slope, ratio, depth, most)
    assert len(widths) == depth
    assert widths[0] == 8 * eighths
    assert widths == sorted(widths)
    assert all(width % 8 == 0 for width in widths)
    assert most is None or len(set(widths)) <= most


def test_widths_are_rounded_to_groups() -> None:
    ops = blocks([8, 24, 24, 56], 16, 0.25)
    assert [(op.width, op.groups, op.stride) for op in ops] == [(8, 1, 2), (32, 2, 2), (32, 2, 1), (64, 4, 2)]
    assert {op.squeeze for op in ops} == {0.25}
