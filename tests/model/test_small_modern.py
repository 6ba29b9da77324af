"""Small modern networks in their small form: each trains, and what is exported computes the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from exporting import exported, furthest
from torch.nn import functional as F

from nas.genome import Graph, Task, cost
from nas.genome.baselines import BASELINES
from nas.genome.edit import scale
from nas.genome.primitives import (
    BasicBlock,
    Bottleneck,
    ConvNeXtBlock,
    ConvUnit,
    DepthwiseSeparable,
    FcHead,
    Fire,
    FusedMBConv,
    GhostBottleneck,
    GhostModule,
    InvertedResidual,
    NormHead,
    PatchReduction,
    PatchStem,
    ShuffleUnit,
)  # fmt: skip
from nas.model import formats, module
from nas.model.parity import TOLERANCE
from nas.training.data import Split, load_data, task
from nas.training.optim import initialize, make_optimizer
from nas.training.recipe import Recipe
from nas.training.train import train

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
    "squeezenet1_0",
    "squeezenet1_1",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "cifar_shufflenet_v2",
    "regnet_x_200mf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_y_200mf",
    "regnet_y_400mf",
    "regnet_y_800mf",
    "resnext50_32x4d",
    "wide_resnet28_10",
    "wide_resnet40_2",
    "resnet8",
    "convnext_tiny",
    "convnext_atto",
]
MAX_PIXELS = 64  # of a side: two by two are left where the logits are computed
IMAGES = 4
MAX_MACS = 1_000_000_000  # larger networks are made a quarter as wide


def small(name: str) -> Graph:
    """The network for small images and ten classes."""
    channels, rows, columns = BASELINES[name].task.input
    images = channels, min(rows, MAX_PIXELS), min(columns, MAX_PIXELS)
    graph = BASELINES[name].graph(Task("small", images, 10))
    return graph if cost(graph).macs < MAX_MACS else scale(graph, 0.25)


def mobile_blocks() -> Graph:
    """One network of the blocks of mobile networks, in all their forms."""
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


def other_blocks() -> Graph:
    """One network of the blocks of the other families, in all their forms."""
    x = PatchStem(8, 2)(Task("small", (3, 30, 30), 10).image())
    for op in (
        ConvNeXtBlock(),
        ConvNeXtBlock(3, 2),
        PatchReduction(12),
        ShuffleUnit(6),
        ShuffleUnit(8, squeeze=0.25),
        ShuffleUnit(8, 2, 5),
        Fire(4, 6, 10),
        Fire(4, 6, 10, norm=True),
        Bottleneck(8, expansion=2, groups=4),
        Bottleneck(12, 2, 1, groups=3, squeeze=0.25),
        BasicBlock(12, order="pre", dropout=0.3),
    ):
        x = op(x)
    return Graph.of(NormHead(10)(x))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_two_steps_of_training_reach_every_weight(name: str) -> None:
    torch.manual_seed(0)
    graph = small(name)
    network = module(graph).train()
    initialize(network)
    optimizer = make_optimizer(network, Recipe())
    images, labels = torch.randn(IMAGES, *graph.input), torch.arange(IMAGES)
    reached: set[str] = set()
    for _ in range(2):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        assert loss.isfinite()
        reached |= {name for name, w in network.named_parameters() if w.grad is not None and w.grad.any()}
    assert reached == {name for name, _ in network.named_parameters()}


@pytest.mark.slow
def test_every_format_agrees(tmp_path: Path) -> None:
    """Of the networks themselves the source is compared in test_many_exports."""
    blocks = {"mobile": mobile_blocks(), "other": other_blocks()}
    jobs = [exported(graph, tmp_path / name, formats.FORMATS) for name, graph in blocks.items()]
    assert furthest(jobs) <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet8", "wide_resnet40_2"])
def test_an_epoch_on_a_thousand_images(name: str) -> None:
    data = load_data("digits")
    data = replace(data, train=Split(data.train.images[:1000], data.train.labels[:1000]))
    torch.manual_seed(0)
    recipe = Recipe(epochs=1, batch=16, learning_rate=0.03)
    (score,) = train(module(BASELINES[name].graph(task("digits"))), data, recipe, seed=0)
    assert score.error < 0.5  # of guessing: 0.9
