"""Networks of ten families in a small form: each trains, and what is exported computes the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_many_exports import exported, furthest
from torch.nn import functional as F

from nas.genome import Graph, Task
from nas.genome.baselines import BASELINES
from nas.genome.edit import scale
from nas.model import formats, module
from nas.model.parity import TOLERANCE
from nas.training.data import Split, load_data, task
from nas.training.optim import initialize, make_optimizer
from nas.training.recipe import Recipe
from nas.training.train import train

FACTOR = 0.25  # of the widths, for speed
NAMES = [
    "convnext_atto",
    "convnext_tiny",
    "cifar_shufflenet_v2",
    "regnet_x_200mf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_y_200mf",
    "regnet_y_400mf",
    "regnet_y_800mf",
    "resnet8",
    "resnext50_32x4d",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "squeezenet1_0",
    "squeezenet1_1",
    "wide_resnet28_10",
    "wide_resnet40_2",
]
EXPORTED = ["convnext_atto", "regnet_y_200mf", "resnet8", "shufflenet_v2_x0_5", "squeezenet1_1"]  # one of each kind
SMALL = ["resnet8", "wide_resnet40_2"]
pytestmark = pytest.mark.slow


def narrow(name: str) -> Graph:
    """A quarter as wide, for ten classes, on images of 64 pixels or of the network's own size if that is smaller."""
    side = min(64, BASELINES[name].task.input[1])
    return scale(BASELINES[name].graph(Task("small", (3, side, side), 10)), FACTOR)


@pytest.mark.parametrize("name", NAMES)
def test_two_steps_move_every_weight(name: str) -> None:
    torch.manual_seed(0)
    graph = narrow(name)
    network = module(graph).train()
    initialize(network)
    optimizer = make_optimizer(network, Recipe())
    before = [weights.clone() for weights in network.parameters()]
    images, labels = torch.randn(8, *graph.input), torch.arange(8)
    for _ in range(2):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        assert loss.isfinite()
    moved = zip(network.named_parameters(), before, strict=True)
    still = {name for (name, weights), old in moved if weights.equal(old)}
    assert all(name.endswith("squeeze.bias") for name in still), still  # of few channels, all off for every image


def test_all_formats_agree(tmp_path: Path) -> None:
    jobs = [exported(narrow(name), tmp_path / name, formats.FORMATS) for name in EXPORTED]
    assert furthest(jobs) <= TOLERANCE


@pytest.mark.parametrize("name", SMALL)
def test_an_epoch_on_a_thousand_images(name: str) -> None:
    data = load_data("digits")
    data = replace(data, train=Split(data.train.images[:1000], data.train.labels[:1000]))
    torch.manual_seed(0)
    recipe = Recipe(epochs=1, batch=16, learning_rate=0.03)
    (score,) = train(module(BASELINES[name].graph(task("digits"))), data, recipe, seed=0)
    assert score.error < 0.5  # of guessing: 0.9
