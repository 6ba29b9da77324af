"""Settings of a recipe for small networks, tried one at a time with paired seeds, on validation images.

    nas data cifar10 data/cifar10
    python -m benchmarks.recipe_trials --data-dir data/cifar10 [--images 20000] [--epochs 15] [--seeds 4] [--workers 2]

Each training is a row of the CSV file, which a second call goes on with. A variant changes the base recipe; what it is
worth is the mean over seeds of its error less that of the base under the same seed, with an interval by Student's t.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from benchmarks.resumed_rows import carried_out, read_rows
from nas.genome import Graph, Task
from nas.genome.primitives import BasicBlock, GapHead, Stem
from nas.search.workers.worker import WORKER_ENV
from nas.statistics import mean_interval
from nas.training.recipe import Recipe, RecipeChanges, recipe

BASE: RecipeChanges = {"batch": 64}
VARIANTS: dict[str, RecipeChanges] = {
    "base": {},
    "batch 128": {"batch": 128},
    "batch 128, rate 0.2": {"batch": 128, "learning_rate": 0.2},
    "rate 0.05": {"learning_rate": 0.05},
    "rate 0.2": {"learning_rate": 0.2},
    "warmup 0.1": {"warmup": 0.1},
    "no smoothing": {"label_smoothing": 0.0},
    "decay 2e-4": {"weight_decay": 2e-4},
    "decay 1e-3": {"weight_decay": 1e-3},
    "no clipping": {"grad_clip": 0.0},
    "mirrored alternately": {"flip": "alternate"},
    "shift of 2": {"crop_padding": 2},
    "sides from 16": {"first_side": 16},
    "sides from 20": {"first_side": 20},
    "mean of weights": {"ema_decay": 0.995},
    "rate 0.2, shift of 2": {"learning_rate": 0.2, "crop_padding": 2},
    "rate 0.2, shift of 2, decay 1e-3": {"learning_rate": 0.2, "crop_padding": 2, "weight_decay": 1e-3},
}


def residual(*widths: int) -> Graph:
    """Return a stem and basic blocks, the first, third and fifth of which halve the grid."""
    x = Stem(8)(Task("cifar10", (3, 32, 32), 10).image())
    for width, stride in zip(widths, (2, 1, 2, 1, 2), strict=True):
        x = BasicBlock(width, stride)(x)
    return Graph.of(GapHead(10)(x))


NETWORKS = {"78k": residual(16, 16, 32, 32, 48), "22k": residual(12, 12, 16, 16, 21)}


def recipe_of(variant: str, epochs: int) -> Recipe:
    """Return the recipe of a variant."""
    return replace(recipe("fast"), epochs=epochs, **(BASE | VARIANTS[variant]))


def train_trial(data_dir: str, asked: dict[str, Any]) -> dict[str, object]:
    """Train what is asked for; return validation error in points, training loss, and processor seconds."""
    import torch

    from nas.model.module import module
    from nas.training.data import Source, load_data
    from nas.training.train import train

    torch.set_num_threads(1)
    data, start = load_data(Source("cifar10", data_dir, train_images=asked["images"])), time.process_time()
    network = module(NETWORKS[asked["network"]], training=True)
    *_, last = train(network, data, recipe_of(asked["variant"], asked["epochs"]), asked["seed"])
    seconds = round(time.process_time() - start, 4)
    return {"error": round(100 * last.error, 4), "train_loss": round(last.train_loss, 4), "seconds": seconds}


def summary(rows: pd.DataFrame) -> Iterator[str]:
    """Yield a line per variant and network: seeds, its error less that of the base, and its share of the time."""
    yield f"{'variant':<34}{'network':>8}{'n':>4}{'error less base, points':>28}{'time':>7}"
    base = rows[rows["variant"] == "base"].drop(columns="variant")
    pairs = rows.merge(base, on=["network", "seed", "images", "epochs"], suffixes=("", "_base"))
    for variant, network in product(list(VARIANTS)[1:], NETWORKS):
        own = pairs[(pairs["variant"] == variant) & (pairs["network"] == network)]
        if len(own) > 1:
            differences = (own["error"] - own["error_base"]).tolist()
            low, high = mean_interval(differences)
            effect = f"{fmean(differences):+.2f} [{low:+.2f}, {high:+.2f}]"
            share = (own["seconds"] / own["seconds_base"]).mean()
            yield f"{variant:<34}{network:>8}{len(own):>4}{effect:>28}{share:>7.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", default="data/cifar10")
    parser.add_argument("--out", type=Path, default=Path("runs/recipe_trials.csv"))
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=VARIANTS)
    parser.add_argument("--networks", nargs="*", default=["78k"], choices=NETWORKS)
    asked = parser.parse_args()
    wanted = [
        {"variant": variant, "network": network, "seed": seed, "images": asked.images, "epochs": asked.epochs}
        for seed in range(asked.seeds) for network in asked.networks for variant in asked.variants
    ]  # fmt: skip
    os.environ.update(WORKER_ENV)
    for row in carried_out(asked.out, wanted, partial(train_trial, asked.data_dir), asked.workers):
        print(f"{row['variant']}, {row['network']}, seed {row['seed']}: {row['error']:.2f} %, {row['seconds']:.0f} s",
              flush=True)  # fmt: skip
    print("\n".join(summary(read_rows(asked.out))))


if __name__ == "__main__":
    main()
