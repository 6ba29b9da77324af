"""The arena over the operations of a network, against its plan and its counts."""

import pytest
from device.trained import convertible_network

from nas.device.footprint import constant_bytes, footprint
from nas.device.memory_profile import IMAGE, memory_profile
from nas.genome import Graph, Task
from nas.genome.baselines import baseline
from nas.genome.primitives import GapHead, Stem


@pytest.mark.parametrize("seed", range(20))
def test_steps_hold_the_tensors_of_the_plan_apart(seed: int) -> None:
    graph = convertible_network(3_000 + seed)
    profile, counted = memory_profile(graph), footprint(graph)
    assert profile.arena == counted.activation_ram
    peak = profile.steps[profile.peak]
    assert peak.end == profile.arena
    assert all(step.size <= step.end <= profile.arena for step in profile.steps)
    assert all(step.size <= peak.size for step in profile.steps if step.end == profile.arena)
    for number, step in enumerate(profile.steps):
        for below, above in zip(step.tensors, step.tensors[1:], strict=False):
            assert below.place.end <= above.place.offset
        assert any(tensor.layer == step.layer and tensor.place.first == number for tensor in step.tensors)
    assert {tensor for step in profile.steps for tensor in step.tensors} == set(profile.tensors)
    assert 0 < constant_bytes(graph) < counted.flash


def test_the_peak_of_a_residual_network() -> None:
    profile = memory_profile(baseline("resnet8"))
    peak = profile.steps[profile.peak]
    assert (profile.arena, peak.size, peak.code) == (49_152, 49_152, "CONV_2D")
    assert [tensor.extent for tensor in peak.tensors] == ["32x32x16"] * 3
    assert {tensor.layer for tensor in peak.tensors} == {f"conv_unit_{n}.conv_1" for n in (1, 2, 3)}


def test_the_image_is_there_first() -> None:
    profile = memory_profile(Graph.of(GapHead(10)(Stem(8)(Task("digits", (1, 8, 8), 10).image()))))
    assert [tensor.layer for tensor in profile.steps[0].tensors].count(IMAGE) == 1
    assert profile.steps[0].size == 8 * 8 * (1 + 8)
    assert sum(not tensor.shape for tensor in profile.tensors) == 3  # what MEAN calculates with
