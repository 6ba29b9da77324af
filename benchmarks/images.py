"""Samplers compared by real trainings: Fashion-MNIST cut down, networks of at most 20,000 parameters.

    python -m benchmarks.images FOLDER [--seeds 5] [--trials 40] [--samplers random tpe evolution frontier] [--jobs 2]

FOLDER holds Fashion-MNIST's files. Each run trains its networks one after another, for 3 epochs on 3,000 images, and
proposes by error and MACs. Runs are compared after as many trials, and after as many seconds as the quickest run took:
the driver's own time counts. Then one network is trained from eight seeds: what differs by less than that is noise.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import torch

from nas.genome import Graph, Task, Trial, Value
from nas.genome.primitives import BasicBlock, BatchNorm, Conv, ConvUnit, DenseBlock, GapHead, MaxPool, Relu, Transition
from nas.model.module import module
from nas.search.experiment import Experiment
from nas.search.objectives import Budget, Range
from nas.search.pareto import hypervolume
from nas.search.propose.proposer import Proposal, Proposer
from nas.statistics import mean_interval
from nas.training.batches import Batches
from nas.training.data import Source, load_data, load_test, task
from nas.training.evaluation import evaluate
from nas.training.recipe import Recipe
from nas.training.train import train

BUDGET = Budget(params=Range(max=20_000), macs=Range(max=600_000))
RECIPE = Recipe(
    epochs=3, batch=16, learning_rate=0.05, crop_padding=0
)  # so few steps have no use for more images than there are
WORST = (0.9, 660_000.0)  # error by guessing; a tenth more MACs than allowed
SAMPLERS = ("random", "tpe", "evolution", "frontier")


def space(trial: Trial, asked: Task) -> Graph:
    """Two stages on a quarter and a sixteenth of the image, each of its own family, width and depth."""
    x: Value = Relu()(BatchNorm()(Conv(trial.suggest_int("stem", 4, 16, step=2), 3, 2)(asked.image())))
    for i in (1, 2):
        family = trial.suggest_categorical(f"family{i}", ["plain", "residual", "dense"])
        width, depth = trial.suggest_int(f"width{i}", 4, 40, step=4), trial.suggest_int(f"depth{i}", 1, 3)
        kernel = trial.suggest_categorical(f"kernel{i}", [1, 3, 5])
        if family == "dense":
            x = Transition(0.5)(DenseBlock(max(2, width // 4), depth)(x))
            continue
        for _ in range(depth):
            x = BasicBlock(width)(x) if family == "residual" else ConvUnit(width, kernel)(x)
        x = MaxPool(2, 2)(x)
    return Graph.of(GapHead(asked.classes)(x))


@dataclass(frozen=True)
class Trained:
    """One trial: seconds since the run began, validation error, MACs; the test error of the best so far."""

    seconds: float
    error: float
    macs: int
    test: float


def fit(source: Source, proposal: Proposal, seed: int) -> tuple[torch.nn.Module, float]:
    """A trained network and its validation error."""
    network = module(proposal.graph, training=True)
    return network, list(train(network, load_data(source), RECIPE, seed))[-1].error


def run(asked: tuple[Source, str, int, int]) -> list[Trained]:
    """One search: the images, the sampler, the seed, the trials."""
    source, sampler, seed, trials = asked
    torch.set_num_threads(1)
    settings = {"name": "images", "space": "mixed", "data": "fashion_mnist", "sampler": sampler, "seed": seed}
    question = Experiment.model_validate({**settings, "trials": trials, "budget": BUDGET})
    asker = Proposer(question, space, task(source))
    test = Batches(load_test(source), load_data(source), torch.device("cpu"))
    found: list[Trained] = []
    spent, best, tested = 0.0, 1.0, 1.0
    for number in range(trials):
        begun = time.perf_counter()
        proposal = asker.ask()
        assert proposal is not None
        network, error = fit(source, proposal, seed * 1_000 + number)
        asker.tell(proposal, error)
        spent += time.perf_counter() - begun  # reading the test split is no part of the search
        if error < best:
            best, tested = error, evaluate(network, test).error
        found.append(Trained(spent, error, proposal.cost.macs, tested))
    return found


def shown_interval(values: Sequence[float], digits: int = 3) -> str:
    """Mean and the half width of its 95 % interval by Student's t."""
    half = mean_interval(values)[1] - mean(values) if len(values) > 1 else nan
    return f"{mean(values):.{digits}f} ±{half:.{digits}f}"


def line(name: str, runs: list[list[Trained]]) -> str:
    """A row: best validation and test accuracy in percent, hypervolume in percent of the box, trials."""
    best = [100 - 100 * min(one.error for one in found) for found in runs]
    tests = [100 - 100 * found[-1].test for found in runs]
    points = [np.array([(one.error, one.macs) for one in found]) for found in runs]
    volumes = [100 * hypervolume(found, WORST) / (WORST[0] * WORST[1]) for found in points]
    cells = [shown_interval(values, 2) for values in (best, tests, volumes)]
    return f"| {name} | {' | '.join(cells)} | {mean(map(len, runs)):.0f} |"


def noise(source: Source, seeds: int) -> float:
    """Standard deviation over training seeds of one network's validation accuracy, in percent."""
    torch.set_num_threads(1)
    settings = {"name": "images", "space": "mixed", "data": "fashion_mnist", "sampler": "random", "budget": BUDGET}
    proposal = Proposer(Experiment.model_validate(settings), space, task(source)).ask()
    assert proposal is not None
    return 100 * stdev(fit(source, proposal, seed)[1] for seed in range(seeds))


def main() -> None:
    """Print a table for equal trials and one for equal time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    source = Source("fashion_mnist", str(options.folder), train_images=3_000, validation=0.05)
    asked = [(source, sampler, seed, options.trials) for seed in range(options.seeds) for sampler in options.samplers]
    found: list[list[Trained]] = []
    with get_context("spawn").Pool(options.jobs) as pool:
        for one, (_, sampler, seed, _) in zip(pool.imap(run, asked), asked, strict=True):
            found.append(one)
            best = min(each.error for each in one)
            print(f"{sampler}, seed {seed}: error {best:.3f} in {one[-1].seconds:.0f} s", file=sys.stderr)
        spread = pool.apply(noise, (source, 8))
    runs = {name: [f for f, one in zip(found, asked, strict=True) if one[1] == name] for name in options.samplers}
    seconds = min(each[-1].seconds for each in found)
    head = "| sampler | best validation | its test | hypervolume | trials |\n|---|---|---|---|---|"
    print(f"{options.seeds} seeds; accuracy in percent, hypervolume in percent of the box\nafter all trials\n{head}")
    print("\n".join(line(name, each) for name, each in runs.items()))
    print(f"\nafter {seconds:.0f} seconds\n{head}")
    print("\n".join(line(name, [[o for o in f if o.seconds <= seconds] for f in each]) for name, each in runs.items()))
    print(f"\none network from eight seeds: standard deviation {spread:.2f} points of validation accuracy")


if __name__ == "__main__":
    main()
