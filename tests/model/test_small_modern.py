"""Small modern networks in their small form: each trains, and what is exported computes the same."""

from pathlib import Path

import pytest
import torch
from exporting import exported, furthest
from torch.nn import functional as F

from nas.genome import Graph, Task
from nas.genome.baselines import BASELINES
from nas.genome.primitives import (
    ConvUnit,
    DepthwiseSeparable,
    FcHead,
    FusedMBConv,
    GhostBottleneck,
    GhostModule,
    InvertedResidual,
)  # fmt: skip
from nas.model import formats, module
from nas.model.parity import TOLERANCE
from nas.training.optim import initialize, make_optimizer
from nas.training.recipe import Recipe

NAMES = [
    "mobilenet_v1",
    "mobilenet_v1_025",
    "mobilenet_v2",
    "cifar_mobilenet_v2",
    "mnasnet0_5",
    "mnasnet1_0",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "ghostnet",
    "efficientnet_b0",
    "efficientnet_lite0",
]
MAX_PIXELS = 64  # of a side: two by two are left where the logits are computed
IMAGES = 4


def small(name: str) -> Graph:
    """The network for small images and ten classes."""
    channels, rows, columns = BASELINES[name].task.input
    images = channels, min(rows, MAX_PIXELS), min(columns, MAX_PIXELS)
    return BASELINES[name].graph(Task("small", images, 10))


def every_block() -> Graph:
    """One network of the blocks of these networks, in all their forms."""
    x = ConvUnit(8, activation="hardswish")(Task("small", (3, 15, 15), 10).image())
    for op in (
        DepthwiseSeparable(12),
        InvertedResidual(12, 1, 7, gate="se", activation="silu"),
        InvertedResidual(16, 2, 5, 2, "hard se", activation="hardswish"),
        InvertedResidual(16, 1.5, gate="eca", activation="relu"),
        InvertedResidual(16, 3, 5, 3, padding="same"),
        FusedMBConv(16, 2),
        GhostBottleneck(16, 2),
        GhostBottleneck(18, 3, 5, 2, "hard se"),
        GhostModule(7, ratio=3),
    ):
        x = op(x)
    return Graph.of(FcHead(10, (16,), 0.2, "hardswish", grid=1)(x))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_two_steps_of_training_move_every_weight(name: str) -> None:
    torch.manual_seed(0)
    graph = small(name)
    network = module(graph).train()
    initialize(network)
    optimizer = make_optimizer(network, Recipe())
    before = [weights.clone() for weights in network.parameters()]
    images, labels = torch.randn(IMAGES, *graph.input), torch.arange(IMAGES)
    for _ in range(2):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        assert loss.isfinite()
    still = [name for (name, now), then in zip(network.named_parameters(), before, strict=True) if now.equal(then)]
    assert not still


@pytest.mark.slow
def test_every_format_agrees(tmp_path: Path) -> None:
    """Of the networks themselves the source is compared in test_many_exports."""
    assert furthest([exported(every_block(), tmp_path / "blocks", formats.FORMATS)]) <= TOLERANCE
