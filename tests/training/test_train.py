"""Training on digits: it learns, repeats itself for a seed, and reports divergence."""

import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from nas.genome import Graph, Task
from nas.genome.primitives import BasicBlock, ConvUnit, FcHead, GapHead, Stem
from nas.model import module
from nas.training.batches import Batches
from nas.training.data import Split, load_data, task
from nas.training.device import safe_kernels, step_dtype
from nas.training.evaluation import evaluate
from nas.training.recipe import Recipe
from nas.training.score import MAX_LOSS
from nas.training.train import Training, TrainingLoop, epoch_size, resized, train

DIGITS = load_data("digits")
FEW = replace(DIGITS, train=Split(DIGITS.train.images[:300], DIGITS.train.labels[:300]))
CPU = torch.device("cpu")
SHORT = Recipe(epochs=2)


def network(dropout: float = 0.0) -> nn.Module:
    x = BasicBlock(16, 2)(Stem(8)(task("digits").image()))
    return module(Graph.of(GapHead(10, dropout)(x)))


def tried(recipe: Recipe, seed: int = 0, dropout: float = 0.0) -> list[tuple[float, float, float]]:
    return [(s.error, s.loss, s.train_loss) for s in train(network(dropout), FEW, recipe, seed)]


def test_learns_and_measures_itself() -> None:
    scores = list(train(network(), DIGITS, Recipe(epochs=6), seed=0))
    assert [score.epoch for score in scores] == list(range(1, 7))
    assert scores[-1].error < 0.2
    assert scores[-1].loss < math.log(10)
    assert scores[0].images_per_second * scores[0].seconds > len(DIGITS.train.labels)  # seconds hold the evaluation too
    assert 2**24 < scores[0].peak_bytes < 2**40


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_same_seed_same_scores_other_seed_others(precision: str) -> None:
    recipe = replace(SHORT, precision=precision)
    first = tried(recipe, 3, dropout=0.5)
    torch.rand(7)  # the caller's random state must not matter
    stream = train(network(0.5), FEW, recipe, 3)
    torch.rand(7)
    again = []
    for score in stream:
        again.append((score.error, score.loss, score.train_loss))
        torch.rand(7)
    assert again == first
    assert tried(recipe, 4, dropout=0.5) != first


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "sgd"},
        {"optimizer": "adamw", "learning_rate": 0.01},
        {"optimizer": "rmsprop", "epsilon": 1.0},
        {"schedule": "onecycle"},
        {"schedule": "step", "milestones": (0.5,)},
        {"schedule": "exponential"},
        {"gamma": 0.5, "schedule": "exponential"},
        {"flip": True},
        {"flip": "alternate"},
        {"first_side": 4},
        {"cutout": 3},
        {"mixup": 0.2},
        {"ema_decay": 0.9},
        {"grad_clip": 0.1},
        {"class_weights": "balanced"},
        {"class_weights": "balanced", "mixup": 0.2},
        {"weight_decay": 0.0},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_every_setting_trains_and_makes_a_difference(
    change: dict[str, object], unchanged: list[tuple[float, float, float]]
) -> None:
    scores = tried(Recipe(**{"epochs": 2, "precision": "float32"} | change))
    assert all(math.isfinite(value) for score in scores for value in score)
    assert scores[-1][2] < math.log(10) + 0.3
    assert scores != unchanged


@pytest.fixture(scope="module")
def unchanged() -> list[tuple[float, float, float]]:
    return tried(Recipe(epochs=2, precision="float32"))


def test_images_grow_to_the_whole() -> None:
    recipe = Recipe(epochs=20, first_side=16)
    sizes = [epoch_size(recipe, epoch, 32, 48) for epoch in range(1, 21)]
    assert sizes[0] == (16, 24)
    assert [height for height, _ in sizes] == sorted(height for height, _ in sizes)
    assert {height % 4 for height, _ in sizes} == {0}
    assert sizes[14:] == [(32, 48)] * 6
    assert sizes[13] != (32, 48)
    assert {epoch_size(Recipe(epochs=5, first_side=side), 1, 8, 8) for side in (0, 8, 32)} == {(8, 8)}


def test_a_network_that_reads_one_size_only_is_given_whole_images() -> None:
    flat = Graph.of(FcHead(10, (16,))(ConvUnit(4)(Task("digits", (1, 8, 8), 10).image())))
    for made, smaller in ((module(flat), False), (network(), True)):
        training = Training(made, DIGITS, Recipe(epochs=2, first_side=4), 0)
        assert training.smaller == smaller
        assert math.isfinite(training.epoch().train_loss)


def test_images_alternate_over_the_epochs() -> None:
    training = Training(network(), FEW, Recipe(epochs=4, flip="alternate", crop_padding=0), 0)
    plain = {image.tobytes() for images, _ in training.batches.in_order() for image in images.numpy()}
    shares = []
    for training.epochs in (1, 2, 3):
        shown = {image.tobytes() for images, _ in training._images() for image in images.numpy()}
        shares.append(len(plain & shown))
    assert shares[0] + shares[1] == pytest.approx(len(plain), abs=12)  # but for the few digits that mirror themselves
    assert shares[2] == shares[0]


def test_resized_images_are_averages() -> None:
    images = torch.arange(64.0).view(1, 1, 8, 8)
    assert resized(images, (8, 8)) is images
    assert resized(images, (4, 4)).mean() == pytest.approx(images.mean().item(), abs=0.5)
    assert resized(torch.ones(2, 3, 8, 8), (4, 6)).shape == (2, 3, 4, 6)


def test_the_caller_may_stop() -> None:
    stream = train(network(), DIGITS, Recipe(epochs=1000), seed=0)
    assert next(stream).epoch == 1
    stream.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 1e9])
def test_a_diverging_loss_ends_training(factor: float) -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(64, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x.flatten(1)) * factor

    scores = list(train(Broken(), DIGITS, SHORT, seed=0))
    assert len(scores) == 1
    assert scores[0].diverged
    assert not scores[0].loss < MAX_LOSS


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_the_network_holds_what_was_scored(average: float) -> None:
    built = network()
    for score in train(built, FEW, replace(SHORT, ema_decay=average), seed=0):
        found = evaluate(built, Batches(DIGITS.validation, DIGITS, CPU))
        assert (found.error, found.loss) == (score.error, score.loss)


def test_averaging_leaves_the_training_steps_unchanged() -> None:
    plain = [score[2] for score in tried(SHORT)]
    averaged = [score[2] for score in tried(replace(SHORT, ema_decay=0.9))]
    assert averaged == plain


class Twofold(nn.Module):
    """A classifier and an auxiliary head on the same features."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.side = nn.Linear(64, 10), nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        x = x.flatten(1)
        return (self.main(x), self.side(x)) if self.training else self.main(x)


def test_the_loss_weights_auxiliary_heads_and_smooths_labels() -> None:
    built, recipe = Twofold(), Recipe(auxiliary=0.25, label_smoothing=0.2, precision="float32")
    images, labels = torch.randn(6, 1, 8, 8), torch.arange(6)
    main, total = TrainingLoop(built, recipe, CPU, 100).losses(images, labels)
    truth = nn.functional.one_hot(labels, 10) * 0.8 + 0.02
    by_hand = [-(truth * head.log_softmax(1)).sum(1).mean() for head in built(images)]
    assert main.item() == pytest.approx(by_hand[0].item(), rel=1e-5)
    assert total.item() == pytest.approx((by_hand[0] + 0.25 * by_hand[1]).item(), rel=1e-5)


def test_a_step_is_bounded_by_the_clipped_gradient() -> None:
    built = Twofold()
    before = [p.detach().clone() for p in built.parameters()]
    recipe = Recipe(
        optimizer="sgd", grad_clip=0.01, learning_rate=1.0, warmup=0.0, weight_decay=0.0, schedule="onecycle"
    )
    loop = TrainingLoop(built, recipe, CPU, 64 * 1000)
    loop.step(torch.randn(64, 1, 8, 8) * 100, torch.arange(64) % 10)
    moved = sum(float((p.detach() - q).square().sum()) for p, q in zip(built.parameters(), before, strict=True)) ** 0.5
    assert moved == pytest.approx(0.01 * loop.optimizer.param_groups[0]["lr"], rel=1e-4)


def test_the_last_step_is_the_last_of_the_schedule() -> None:
    loop = TrainingLoop(network(), SHORT, CPU, len(FEW.train.labels))
    batches, source = Batches(FEW.train, FEW, CPU, SHORT.crop_padding), torch.Generator().manual_seed(0)
    for _ in range(SHORT.epochs):
        loop.run_epoch(batches.epoch(SHORT, source))
    assert loop.steps == loop.total_steps
    assert loop.optimizer.param_groups[0]["lr"] == 0


def test_evaluation_counts_every_image_once() -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.eye(10)[3].expand(len(x), 10)

    found = evaluate(Constant(), Batches(DIGITS.train, DIGITS, CPU, margin=2))
    share = float(np.mean(DIGITS.train.labels == 3))
    assert found.error == pytest.approx(1 - share)
    assert found.loss == pytest.approx(math.log(9 + math.e) - share, rel=1e-4)


def test_bfloat16_only_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for has, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda has=has: has)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert step_dtype(Recipe(), CPU) is expected
    assert step_dtype(Recipe(precision="bfloat16"), CPU) is torch.bfloat16
    assert step_dtype(Recipe(precision="float32"), CPU) is torch.float32


NARROW = """
import torch
from nas.genome import Graph, Task
from nas.genome.primitives import BasicBlock, ConvUnit, FcHead, GapHead, Stem
from nas.model import module
from nas.training.data import load_data, task
from nas.training.recipe import Recipe
from nas.training.train import train
torch.set_num_threads(1)
for width in (3, 4, 7):
    net = module(Graph.of(GapHead(10)(BasicBlock(8, 2)(Stem(width)(task("digits").image())))))
    *_, last = train(net, load_data("digits"), Recipe(epochs=3, precision="float32"), 0)
    print(last.error)
"""


def test_a_narrow_projection_with_a_stride_does_not_corrupt_the_memory() -> None:
    """In a process of its own: in channels last, the gradient of such a convolution writes out of bounds."""
    done = subprocess.run([sys.executable, "-c", NARROW], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    assert len(errors := [float(line) for line in done.stdout.splitlines()]) == 3
    assert max(errors) < 0.95


def test_safe_kernels_give_the_same_results_and_are_gone_afterwards() -> None:
    net, images = (
        module(Graph.of(GapHead(10)(BasicBlock(8, 2)(Stem(4)(task("digits").image()))))),
        torch.rand(3, 1, 8, 8),
    )
    before = net.eval()(images)
    with safe_kernels(net, CPU):
        replaced = [each for each in net.modules() if "forward" in vars(each)]
        assert torch.allclose(net(images), before, atol=1e-6)
    assert [each.kernel_size for each in replaced] == [(1, 1)]
    assert not any("forward" in vars(each) for each in net.modules())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gets_the_same_images_and_starts_from_the_same_weights() -> None:
    recipe = Recipe(epochs=2, precision="float32")
    there = next(train(network(), FEW, recipe, 0, "cuda"))
    here = next(train(network(), FEW, recipe, 0))
    assert there.train_loss == pytest.approx(here.train_loss, rel=1e-2)
    assert 0 < there.peak_bytes < 2**30


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch.compile warns of its own parts
@pytest.mark.skipif(not os.environ.get("CXX") and not os.path.exists("/usr/bin/c++"), reason="torch.compile needs C++")
def test_compiled_training_learns_as_plain_training_does() -> None:
    recipe = Recipe(epochs=3, precision="float32")
    plain, compiled = tried(recipe), tried(replace(recipe, compile=True))
    assert compiled[-1][1] == pytest.approx(plain[-1][1], abs=0.05)
