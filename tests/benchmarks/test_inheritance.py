"""What a network takes of another's weights, and what the race says."""

import pandas as pd
import pytest
import torch

from benchmarks.inheritance import MIX, Parent, inherit, layers, nearest, summary
from nas.genome import Graph, Task
from nas.genome.cost import cost
from nas.genome.primitives import ConvUnit, GapHead, Stem
from nas.model.module import module
from nas.search.propose.candidate import Candidate
from nas.search.propose.proposer import Proposal

TASK = Task("digits", (1, 8, 8), 10)


def network(*widths: int, kernel: int = 3) -> torch.nn.Module:
    x = Stem(8)(TASK.image())
    for width in widths:
        x = ConvUnit(width, kernel)(x)
    return module(Graph.of(GapHead(10)(x)), training=True)


def tensors(net: torch.nn.Module) -> list[torch.Tensor]:
    return [each.detach().clone() for _, layer in layers(net) for each in layer.parameters(recurse=False)]


def test_a_network_like_its_parent_takes_every_layer_half_by_half() -> None:
    child, parent = network(8, 12), network(8, 12)
    before, theirs = tensors(child), tensors(parent)
    assert inherit(child, parent) == len(layers(child))
    for old, source, new in zip(before, theirs, tensors(child), strict=True):
        share = MIX if old.dim() > 1 else 1.0
        assert torch.allclose(new, share * source + (1 - share) * old)


def test_of_a_wider_layer_the_new_channels_stay_as_they_were() -> None:
    child, parent = network(8, 20), network(8, 12)
    before = tensors(child)
    inherit(child, parent)
    for old, new, source in zip(before, tensors(child), tensors(parent), strict=True):
        if old.shape != source.shape and old.dim() == 4:
            assert torch.equal(new[12:], old[12:])
            assert not torch.equal(new[:12], old[:12])


def test_layers_of_another_kernel_and_layers_that_were_added_are_left_alone() -> None:
    child, parent = network(8, 8, 8), network(8)
    assert inherit(child, parent) == len(layers(parent))
    assert inherit(network(8, kernel=5), parent) < len(layers(parent))


def proposal(**choices: int) -> Proposal:
    graph = Graph.of(GapHead(10)(Stem(8)(TASK.image())))
    return Proposal(None, Candidate(dict(choices), {}, graph, cost(graph)), str(choices))


def test_the_nearest_shares_most_choices_and_of_equals_has_the_lower_error() -> None:
    empty = torch.nn.Identity()
    known = [Parent(proposal(a=1, b=1), empty, 0.1), Parent(proposal(a=2, b=1), empty, 0.4)]
    known.append(Parent(proposal(a=2, b=3), empty, 0.3))
    assert nearest(proposal(a=2, b=2), known) is known[2]
    assert nearest(proposal(a=2, b=1), known) is known[1]


def test_arms_are_compared_over_the_seeds_that_all_have() -> None:
    rows = [{"arm": arm, "seed": seed, "test": 20.0 + seed + gain}
            for seed in range(4) for arm, gain in (("scratch", 0.0), ("short", 1.0), ("inherited", -2.0))]  # fmt: skip
    said = list(summary(pd.DataFrame([*rows, {"arm": "scratch", "seed": 9, "test": 99.0}])))
    assert said[0] == "scratch    4 seeds, test error 21.50 %"
    assert said[2].endswith("less scratch -2.00 [-2.00, -2.00] points")
    with pytest.raises(KeyError):
        list(summary(pd.DataFrame([{"arm": "scratch", "seed": 0}])))
