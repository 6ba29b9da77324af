"""Processor time of an epoch with and without the allocator's settings of workers, in fresh processes, in turns.

    python -m benchmarks.allocator [--images 3000] [--repeats 3]

Random images of CIFAR-10's shape; one thread; the second epoch counts.
"""

import argparse
import os
import subprocess
import sys
from statistics import median

from benchmarks.recipe_trials import NETWORKS as RESIDUAL
from nas.genome import Graph, Task
from nas.genome.primitives import (
    BatchNorm,
    ConvUnit,
    DenseBlock,
    GapHead,
    InvertedResidual,
    Relu,
    Stem,
    Transition,
)
from nas.search.workers.worker import KEEP_MEMORY_ENV, SINGLE_THREAD_ENV

TASK = Task("cifar10", (3, 32, 32), 10)


def dense() -> Graph:
    x = Stem(16)(TASK.image())
    for block in range(3):
        x = DenseBlock(8, 3)(x)
        x = Transition(0.5)(x) if block < 2 else Relu()(BatchNorm()(x))
    return Graph.of(GapHead(10)(x))


def mobile() -> Graph:
    x = ConvUnit(16)(TASK.image())
    for width, stride in ((16, 1), (24, 2), (24, 1), (40, 2), (40, 1)):
        x = InvertedResidual(width, 4.0, 3, stride)(x)
    return Graph.of(GapHead(10)(x))


NETWORKS = {"residual": RESIDUAL["78k"], "dense": dense(), "mobile": mobile()}


def second_epoch(name: str, images: int) -> tuple[float, int]:
    """Return the processor seconds of an epoch, the system's included, and the page faults in it."""
    import resource

    import numpy as np
    import torch

    from nas.model.module import module
    from nas.training.data import Data, Split
    from nas.training.recipe import Recipe
    from nas.training.train import Training

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    train, validation = (
        Split(rng.integers(0, 256, (n, 3, 32, 32), np.uint8), np.arange(n) % 10) for n in (images, 100)
    )
    data = Data(TASK, train, validation, mean=(0.5,) * 3, std=(0.25,) * 3)
    training = Training(module(NETWORKS[name], training=True), data, Recipe(epochs=2), 0)
    training.epoch()
    before = resource.getrusage(resource.RUSAGE_SELF)
    training.epoch()
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_minflt - before.ru_minflt


def measure(name: str, images: int, settings: dict[str, str]) -> tuple[float, int]:
    """Return what `second_epoch` finds in a fresh process with these settings."""
    command = [sys.executable, "-m", "benchmarks.allocator", "--images", str(images), "--network", name]
    inherited = {key: value for key, value in os.environ.items() if key not in KEEP_MEMORY_ENV}
    environment = inherited | SINGLE_THREAD_ENV | settings
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    return float(found[0]), int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=3_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--network", choices=NETWORKS, help="measure this one here, once")
    asked = parser.parse_args()
    if asked.network:
        print(*second_epoch(asked.network, asked.images))
        return
    print(f"{'network':<10}{'default, s':>12}{'workers, s':>12}{'ratios':>24}{'page faults':>24}")
    for name in NETWORKS:
        pairs = [[measure(name, asked.images, each) for each in ({}, KEEP_MEMORY_ENV)] for _ in range(asked.repeats)]
        seconds = [median(pair[i][0] for pair in pairs) for i in (0, 1)]
        ratios = " ".join(f"{first[0] / second[0]:.2f}" for first, second in pairs)
        faults = " to ".join(f"{median(pair[i][1] for pair in pairs):,.0f}" for i in (0, 1))
        print(f"{name:<10}{seconds[0]:>12.2f}{seconds[1]:>12.2f}{ratios:>24}{faults:>24}")


if __name__ == "__main__":
    main()
