"""Settings of a recipe for small networks, tried one at a time with paired seeds, on validation images.

    nas data cifar10 data/cifar10
    python -m benchmarks.recipe_trials --data-dir data/cifar10 [--images 20000] [--epochs 15] [--seeds 4] [--workers 2]

Each training is a row of the CSV file, which a second call goes on with. A variant changes the base recipe; what it is
worth is the mean over seeds of its error less that of the base under the same seed, with an interval by Student's t.
"""

import argparse
import csv
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from io import StringIO
from pathlib import Path
from statistics import fmean

from nas.files import append
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


@dataclass(frozen=True)
class RecipeTrial:
    """One training: what it was of, its validation error in points, training loss, and processor seconds."""

    variant: str
    network: str
    seed: int
    images: int
    epochs: int
    error: float = 0.0
    train_loss: float = 0.0
    seconds: float = 0.0

    @property
    def key(self) -> tuple[str, str, int, int, int]:
        """Return what identifies it."""
        return self.variant, self.network, self.seed, self.images, self.epochs


def recipe_of(trial: RecipeTrial) -> Recipe:
    """Return the recipe of a trial."""
    return replace(recipe("fast"), epochs=trial.epochs, **(BASE | VARIANTS[trial.variant]))


def train_trial(trial: RecipeTrial, data_dir: str) -> RecipeTrial:
    """Return the trial with its result."""
    import torch

    from nas.model.module import module
    from nas.training.data import Source, load_data
    from nas.training.train import train

    torch.set_num_threads(1)
    data, start = load_data(Source("cifar10", data_dir, train_images=trial.images)), time.process_time()
    network = module(NETWORKS[trial.network], training=True)
    *_, last = train(network, data, recipe_of(trial), trial.seed)
    seconds = time.process_time() - start
    return replace(trial, error=100 * last.error, train_loss=last.train_loss, seconds=seconds)


def read_trials(file: Path) -> list[RecipeTrial]:
    """Return the trials of a file; none where there is none yet."""
    if not file.exists():
        return []
    kinds = {"seed": int, "images": int, "epochs": int, "error": float, "train_loss": float, "seconds": float}
    with file.open(encoding="utf-8", newline="") as lines:
        return [RecipeTrial(**{name: kinds.get(name, str)(text) for name, text in row.items()})
                for row in csv.DictReader(lines)]  # fmt: skip


def add_trial(file: Path, trial: RecipeTrial) -> None:
    """Append a trial to the file."""
    values = {name: f"{value:.4f}" if isinstance(value, float) else value for name, value in asdict(trial).items()}
    text = StringIO()
    writer = csv.DictWriter(text, values, lineterminator="\n")
    if not file.exists():
        writer.writeheader()
    writer.writerow(values)
    append(file, text.getvalue().encode())


def summary(trials: Sequence[RecipeTrial]) -> Iterator[str]:
    """Yield a line per variant and network: seeds, its error less that of the base, and its share of the time."""
    yield f"{'variant':<34}{'network':>8}{'n':>4}{'error less base, points':>28}{'time':>7}"
    known = {trial.key: trial for trial in trials}
    for variant in VARIANTS:
        for network in NETWORKS:
            own = [each for each in trials if (each.variant, each.network) == (variant, network)]
            pairs = [(each, known[key]) for each in own if (key := replace(each, variant="base").key) in known]
            if len(pairs) > 1 and variant != "base":
                differences = [one.error - base.error for one, base in pairs]
                low, high = mean_interval(differences)
                time_share = fmean(one.seconds / base.seconds for one, base in pairs)
                effect = f"{fmean(differences):+.2f} [{low:+.2f}, {high:+.2f}]"
                yield f"{variant:<34}{network:>8}{len(pairs):>4}{effect:>28}{time_share:>7.2f}"


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
    done = {trial.key for trial in read_trials(asked.out)}
    wanted = [
        RecipeTrial(variant, network, seed, asked.images, asked.epochs)
        for seed in range(asked.seeds) for network in asked.networks for variant in asked.variants
    ]  # fmt: skip
    missing = [trial for trial in wanted if trial.key not in done]
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    os.environ.update(WORKER_ENV)
    with multiprocessing.get_context("spawn").Pool(asked.workers) as pool:
        futures = [pool.apply_async(train_trial, (trial, asked.data_dir)) for trial in missing]
        for number, future in enumerate(futures, 1):
            trial = future.get()
            add_trial(asked.out, trial)
            print(f"{number} of {len(missing)}  {trial.variant}, {trial.network}, seed {trial.seed}: "
                  f"{trial.error:.2f} %, {trial.seconds:.0f} s", flush=True)  # fmt: skip
    print("\n".join(summary(read_trials(asked.out))))


if __name__ == "__main__":
    main()
