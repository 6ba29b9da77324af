"""Training on digits: learns, repeats itself, and says so when it diverges."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from nas.errors import DataError
from nas.genome import Graph
from nas.genome.primitives import BasicBlock, GapHead, Stem
from nas.model import module
from nas.training.data import load, load_test, task
from nas.training.recipe import Recipe
from nas.training.train import optimizer, rate, shifted, train

DIGITS = load("digits")
SHORT = Recipe(epochs=3)
LONGER = Recipe(epochs=8)


def network() -> nn.Module:
    x = BasicBlock(16)(Stem(8)(task("digits").image()))
    return module(Graph.of(GapHead(10)(x)))


def test_splits_are_fixed_disjoint_and_stratified() -> None:
    test = load_test("digits")
    sizes = [len(DIGITS.train.labels), len(DIGITS.validation.labels), len(test.labels)]
    assert sum(sizes) == 1797
    for split in (DIGITS.train, DIGITS.validation, test):
        shares = np.bincount(split.labels) / len(split.labels)
        assert np.all(np.abs(shares - 0.1) < 0.01)
    rows = np.concatenate([s.images.reshape(len(s.labels), -1) for s in (DIGITS.train, DIGITS.validation, test)])
    from sklearn.datasets import load_digits

    whole = (load_digits().images * 15).astype(np.uint8).reshape(1797, -1)
    assert np.array_equal(np.sort(rows, 0), np.sort(whole, 0))


def test_learns() -> None:
    scores = list(train(network(), DIGITS, LONGER, seed=0))
    assert [score.epoch for score in scores] == list(range(1, 9))
    assert scores[-1].error < 0.2
    assert scores[-1].loss < math.log(10)
    assert scores[0].seconds < scores[-1].seconds


def test_same_seed_same_scores_other_seed_others() -> None:
    def tried(seed: int) -> list[tuple[float, float, float]]:
        return [(s.error, s.loss, s.train_loss) for s in train(network(), DIGITS, SHORT, seed)]

    first = tried(3)
    torch.rand(7)  # the state of the world outside must not matter
    assert tried(3) == first
    assert tried(4) != first


def test_whoever_pulls_may_stop() -> None:
    stream = train(network(), DIGITS, Recipe(epochs=1000), seed=0)
    assert next(stream).epoch == 1
    stream.close()  # type: ignore[attr-defined]


def test_a_loss_that_is_not_finite_ends_the_stream() -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(64, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x.flatten(1)) * float("nan")

    scores = list(train(Broken(), DIGITS, SHORT, seed=0))
    assert len(scores) == 1
    assert not math.isfinite(scores[0].loss)


def test_shift_moves_whole_images_and_nothing_else() -> None:
    images = torch.randint(1, 255, (64, 2, 5, 5), dtype=torch.uint8)
    moved = shifted(images, 1, torch.Generator().manual_seed(0))
    kinds = set()
    for image, result in zip(images, moved, strict=True):
        padded = torch.nn.functional.pad(image, (1, 1, 1, 1))
        found = [(r, c) for r in range(3) for c in range(3) if torch.equal(padded[:, r : r + 5, c : c + 5], result)]
        assert len(found) == 1
        kinds.update(found)
    assert len(kinds) == 9
    assert shifted(images, 0, torch.Generator()) is images


def test_rate_rises_then_falls_to_zero() -> None:
    recipe = Recipe(rate=0.5, warmup=0.25)
    assert rate(recipe, 0.125) == pytest.approx(0.25)
    assert rate(recipe, 0.25) == pytest.approx(0.5)
    assert rate(recipe, 1.0) == pytest.approx(0.0)
    falling = [rate(recipe, 0.25 + i / 100) for i in range(76)]
    assert falling == sorted(falling, reverse=True)


def test_decay_is_for_kernels_only() -> None:
    built = network()
    kernels, rest = optimizer(built, Recipe(decay=0.25)).param_groups
    assert (kernels["weight_decay"], rest["weight_decay"]) == (0.25, 0.0)
    assert all(p.ndim > 1 for p in kernels["params"])
    assert len(kernels["params"]) + len(rest["params"]) == len(list(built.parameters()))


def test_unknown_data_names_what_there_is() -> None:
    with pytest.raises(DataError, match="digits"):
        load("imagenet21k")
