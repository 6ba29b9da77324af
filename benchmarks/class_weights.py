"""What class_weights = "balanced" is worth on unbalanced images, paired by seed.

    python -m benchmarks.class_weights [--seeds 10]

Digits with a tenth of the training images of the classes 5 to 9, a small residual network, 12 epochs; balanced error on
the test images.
"""

import argparse
from dataclasses import replace
from statistics import mean, stdev

import numpy as np
import torch

from nas.genome import Graph
from nas.genome.primitives import BasicBlock, GapHead, Stem
from nas.model.module import module
from nas.statistics import mean_interval
from nas.training.batches import Batches
from nas.training.data import Data, load_data, load_test, task
from nas.training.data.split import Split
from nas.training.evaluation import evaluate
from nas.training.recipe import Recipe
from nas.training.train import train

SET, FIRST_RARE, KEPT = "digits", 5, 0.1
RECIPE = Recipe(epochs=12)


def unbalanced(split: Split, seed: int) -> Split:
    """A split with a share of the images of the rare classes, drawn by the seed."""
    draw = np.random.default_rng(seed).random(len(split.labels))
    chosen = np.flatnonzero((split.labels < FIRST_RARE) | (draw < KEPT))
    return replace(split, images=split.images[chosen], labels=split.labels[chosen])


def network() -> Graph:
    """A stem, two residual blocks and global pooling."""
    images = task(SET)
    x = BasicBlock(32, 2)(BasicBlock(16)(Stem(16)(images.image())))
    return Graph.of(GapHead(images.classes)(x))


def test_error(data: Data, recipe: Recipe, seed: int) -> float:
    """Train, and return the balanced error on the test images."""
    net = module(network(), training=True)
    for _ in train(net, data, recipe, seed):
        pass
    found = evaluate(net, Batches(load_test(SET), data, torch.device("cpu")))
    return found.balanced_error


def main() -> None:
    """Print both errors and their difference, in percent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    whole, rows = load_data(SET), []
    for seed in range(options.seeds):
        data = replace(whole, train=unbalanced(whole.train, seed))
        recipes = RECIPE, replace(RECIPE, class_weights="balanced")
        rows.append([100 * test_error(data, recipe, seed) for recipe in recipes])
        print(f"seed {seed}: {rows[-1][0]:.1f} % without, {rows[-1][1]:.1f} % with", flush=True)
    without, weighted = zip(*rows, strict=True)
    low, high = mean_interval([after - before for before, after in rows])
    print(f"without {mean(without):.1f} % (sd {stdev(without):.1f}), with {mean(weighted):.1f} %", end=" ")
    print(f"(sd {stdev(weighted):.1f}), difference {low:.1f} to {high:.1f} points (95 %), n = {len(rows)}")


if __name__ == "__main__":
    main()
