"""Folding: the exported network computes what the trained one does, and where nothing folds nothing changes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.genome import Graph, Input, Shape, Task, cost
from nas.genome.baselines import baseline
from nas.genome.folding_layers import RepConv
from nas.genome.primitives import GapHead, RepVGGBlock, Stem
from nas.model import formats, module, source
from nas.model.export import export_network, load_weights, save_weights
from nas.model.fold import fold, fold_network
from nas.model.parity import TOLERANCE
from nas.training.data import Data, Split, load_data
from nas.training.recipe import Recipe
from nas.training.score import Score
from nas.training.train import Training

TASK = Task("digits", (1, 8, 8), 10)
SHAPES = [
    (RepConv(8), (8, 9, 7)),
    (RepConv(8, groups=2), (8, 9, 7)),
    (RepConv(8, groups=8), (8, 9, 7)),
    (RepConv(8, 2), (8, 9, 7)),
    (RepConv(8, 3), (8, 9, 7)),
    (RepConv(12, groups=4), (8, 9, 7)),
    (RepConv(5), (8, 1, 1)),
    (RepConv(64), (64, 14, 14)),
]


def repvgg() -> Graph:
    x = RepVGGBlock(16, groups=2)(RepVGGBlock(16)(RepVGGBlock(16, 2)(Stem(8)(TASK.image()))))
    return Graph.of(GapHead(10)(x))


def few_digits() -> Data:
    data = load_data("digits")
    return replace(data, train=Split(data.train.images[:96], data.train.labels[:96]))


def randomized(network: nn.Module) -> nn.Module:
    """The network in evaluation mode, its batch norms with statistics, scales and shifts of all sizes and signs."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            for tensor in (layer.weight, layer.bias, layer.running_mean):
                nn.init.normal_(tensor)
            nn.init.uniform_(layer.running_var, 0.01, 4.0)
    return network.eval()


def in_training(op: RepConv, shape: Shape) -> tuple[Graph, nn.Module]:
    graph = Graph.of(op(Input(shape)()))
    return graph, randomized(module(graph, training=True))


@torch.no_grad()
def apart(first: nn.Module, second: nn.Module, images: Tensor) -> float:
    expected = first(images)
    return float((second(images) - expected).abs().max() / expected.abs().max().clamp(min=1))


@pytest.mark.parametrize(("op", "shape"), SHAPES, ids=str)
def test_one_convolution_computes_what_the_branches_do(op: RepConv, shape: Shape) -> None:
    graph, trained = in_training(op, shape)
    folded = fold_network(graph, trained)
    assert [type(layer) for layer in folded.children()] == [nn.Conv2d]
    assert sum(p.numel() for p in folded.parameters()) == cost(graph).params
    assert apart(trained, folded, torch.randn(4, *shape)) <= 1e-5
    exact = module(graph).double()
    exact.load_state_dict(fold(trained.double()))
    assert apart(trained, exact, torch.randn(4, *shape, dtype=torch.float64)) <= 1e-12


def normed(x: Tensor, norm: dict[str, Tensor], epsilon: float = 1e-5) -> Tensor:
    means, variances, scales, shifts = (
        norm[name][:, None, None] for name in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - means) / (variances + epsilon).sqrt() * scales + shifts


@pytest.mark.parametrize(("op", "shape"), SHAPES, ids=str)
def test_the_branches_are_those_of_the_paper(op: RepConv, shape: Shape) -> None:
    """Ding et al. 2021, equation 2: norms of the 3x3, of the 1x1 and, at equal shapes, of the input."""
    _, trained = in_training(op, shape)
    state, x = trained.state_dict(), torch.randn(4, *shape)
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        _, part, field = name.split(".")
        parts.setdefault(part, {})[field] = tensor
    y = normed(F.conv2d(x, parts["conv3"]["weight"], None, op.stride, 1, 1, op.groups), parts["norm3"])
    y += normed(F.conv2d(x, parts["conv1"]["weight"], None, op.stride, 0, 1, op.groups), parts["norm1"])
    assert ("norm0" in parts) == (op.width == shape[0] and op.stride == 1)
    y = y + normed(x, parts["norm0"]) if "norm0" in parts else y
    torch.testing.assert_close(trained(x), y, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_the_kernel_is_the_response_to_single_pixels() -> None:
    _, trained = in_training(RepConv(6), (6, 3, 3))
    state = fold(trained.double())
    bias = trained(torch.zeros(1, 6, 3, 3, dtype=torch.float64))[0]
    torch.testing.assert_close(bias[:, 1, 1], state["rep_conv.bias"])
    for channel in range(6):
        x = torch.zeros(1, 6, 3, 3, dtype=torch.float64)
        x[0, channel, 1, 1] = 1
        torch.testing.assert_close((trained(x)[0] - bias).flip(1, 2), state["rep_conv.weight"][:, channel])


def test_a_whole_network_folds() -> None:
    graph = repvgg()
    trained = randomized(module(graph, training=True))
    folded = fold_network(graph, trained)
    assert not folded.training
    assert apart(trained, folded, torch.randn(8, *graph.input)) <= 1e-5
    assert list(fold_network(graph, folded).state_dict()) == list(module(graph).state_dict())
    assert fold_network(graph, folded) is folded


@pytest.mark.parametrize("name", ["lenet5_paper", "googlenet_paper_aux", "cifar_resnet20", "densenet_bc_100_12"])
def test_where_nothing_folds_nothing_changes(name: str) -> None:
    graph = baseline(name)
    assert source(graph, "A story.", training=True) == source(graph, "A story.")
    if name == "cifar_resnet20":
        network = module(graph, training=True)
        assert fold_network(graph, network) is network
        state = network.state_dict()
        assert list(fold(network)) == list(state)
        assert all(tensor is not None and torch.equal(tensor, state[key]) for key, tensor in fold(network).items())


def test_repvgg_a0_has_the_published_counts_in_both_forms() -> None:
    """OpenMMLab, mmclassification/configs/repvgg: 8.31 M and 1.36 billion folded, 9.11 M in training."""
    graph = baseline("repvgg_a0")
    counts = cost(graph)
    assert (round(counts.params / 1e6, 2), round(counts.macs / 1e9, 2)) == (8.31, 1.36)
    with torch.device("meta"):
        trained = module(graph, training=True)
    assert round(sum(p.numel() for p in trained.parameters()) / 1e6, 2) == 9.11


def plain(score: Score) -> tuple[Any, ...]:
    return score.epoch, score.error, score.loss, score.train_loss


def test_training_goes_on_to_the_bit_in_the_form_that_trains() -> None:
    data, recipe = few_digits(), Recipe(epochs=2, batch=32, ema_decay=0.9)
    whole, first, second = (Training(module(repvgg(), training=True), data, recipe, seed) for seed in (3, 3, 4))
    expected = [plain(whole.epoch()), plain(whole.epoch())]
    scores = [plain(first.epoch())]
    state = first.state()
    assert any("conv1" in name for name in state["network"])
    second.load(state)
    assert [*scores, plain(second.epoch())] == expected
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name]), name


def two_steps(graph: Graph) -> nn.Module:
    data = few_digits()
    training = Training(module(graph, training=True), data, Recipe(epochs=1, batch=48), 0)
    training.epoch()
    assert training.loop.steps == 2
    return training.network


def test_kept_weights_are_those_of_the_form_that_trains(tmp_path: Path) -> None:
    graph, file = repvgg(), tmp_path / "weights.safetensors"
    trained, kept = two_steps(graph), module(graph, training=True)
    save_weights(trained, file)
    load_weights(kept, file)
    state = trained.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in kept.state_dict().items())
    with pytest.raises(RuntimeError, match="conv3"):
        load_weights(module(graph), file)


@pytest.mark.slow
def test_what_is_exported_is_the_trained_network_folded(tmp_path: Path) -> None:
    graph = repvgg()
    trained, again = two_steps(graph), module(graph).eval()
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    exported = export_network(graph, trained, tmp_path, TASK, "", {}, formats.FORMATS)
    assert set(exported.parity) == set(formats.FORMATS)
    assert exported.agrees
    assert "RepConv" not in (tmp_path / "net.py").read_text(encoding="utf-8")
    assert "| Folded |" in (tmp_path / "README.md").read_text(encoding="utf-8")
    load_weights(again, tmp_path / "weights.safetensors")
    assert sum(p.numel() for p in again.parameters()) == cost(graph).params
    assert apart(trained, again, torch.randn(8, *graph.input)) <= TOLERANCE
    assert all(torch.equal(tensor, before[name]) for name, tensor in trained.state_dict().items()), (
        "it is left as it was"
    )


def test_repvgg_a0_folds() -> None:
    graph = baseline("repvgg_a0")
    trained = randomized(module(graph, training=True))
    assert apart(trained, fold_network(graph, trained), torch.randn(2, 3, 64, 64)) <= 1e-5
