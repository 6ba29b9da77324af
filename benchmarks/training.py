"""Training speed; each goal is a ratio measured within one run, in both orders.

    python -m benchmarks.training            about four minutes on two quiet cores
    python -m benchmarks.training --quick    one minute, to see that it works

(a) a step of the generated source over one of the same network written by hand; (b) images per second of the whole loop
over those of the bare step; (c) images per CPU-second of this loop over a plain eager float32 loop with a DataLoader;
(d) workers of one thread against one worker with all threads, quiet and next to a busy process; two workers against
one. Images are noise: speed does not depend on their content. Exit code 1 if a goal is missed.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import geometric_mean, median

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported, as the search does for its workers

import numpy as np
import torch
from torch import nn

from benchmarks.plain import DenseNet22, ResNet20, plain_epoch
from nas.genome import Graph, Task
from nas.genome.baselines.densenet import cifar_densenet_bc
from nas.genome.baselines.resnet import cifar_resnet
from nas.model import module
from nas.training.batches import Batches
from nas.training.data import Data, Split
from nas.training.recipe import recipe
from nas.training.train import TrainingLoop, train

TASK = Task("noise", (3, 32, 32), 10)
CPU = torch.device("cpu")
FAST = recipe("fast")
GRAPHS: dict[str, Graph] = {"ResNet-20": cifar_resnet(TASK, 20), "DenseNet-BC-22": cifar_densenet_bc(TASK, 22, 12)}
BY_HAND: dict[str, Callable[[], nn.Module]] = {"ResNet-20": ResNet20, "DenseNet-BC-22": DenseNet22}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    steps: int = 4  # per measurement of (a)
    pairs: int = 5  # of (a)
    epoch: int = 9  # steps in an epoch of (b) and (c)
    epochs: int = 3
    seconds: float = 6.0  # of (d), each worker
    rounds: int = 2  # of (d)


QUICK = Size(steps=1, pairs=2, epoch=1, epochs=2, seconds=1.0, rounds=1)


def noise(steps: int) -> Data:
    """Return `steps` batches to train on, and a ninth of that for validation, as He et al. 2015 divide CIFAR-10."""
    random, n = np.random.default_rng(0), steps * FAST.batch

    def split(count: int) -> Split:
        images = random.integers(0, 256, (count, *TASK.input), dtype=np.uint8)
        return Split(images, random.integers(0, 10, count))

    return Data(TASK, split(n), split(n // 9), (0.5,) * 3, (0.25,) * 3)


def stepper(network: nn.Module) -> Callable[[int], float]:
    """Return a function that takes a number of steps on one batch and gives their CPU-seconds, after a first step."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    data = noise(1)
    batch = next(Batches(data.train, data, CPU, FAST.crop_padding).epoch(FAST, torch.Generator().manual_seed(0)))
    loop = TrainingLoop(network.train(), replace(FAST, epochs=1000), CPU, 1000 * FAST.batch)

    def run(steps: int) -> float:
        start = time.process_time()
        for _ in range(steps):
            loop.step(*batch)
        return time.process_time() - start

    run(1)
    return run


def pairs(ours: Callable[[], float], other: Callable[[], float], count: int) -> list[tuple[float, float]]:
    """Measure both `count` times, in alternating order."""
    found = []
    for turn in range(count):
        if turn % 2:
            second = other()
            found.append((ours(), second))
        else:
            found.append((ours(), other()))
    return found


def generated_over_by_hand(size: Size) -> dict[str, list[float]]:
    """(a) CPU-seconds per step."""
    found = {}
    for name, graph in GRAPHS.items():
        ours, other = module(graph, training=True), BY_HAND[name]()
        assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in other.parameters()), name
        ours_run, other_run = stepper(ours), stepper(other)
        both = pairs(lambda run=ours_run: run(size.steps), lambda run=other_run: run(size.steps), size.pairs)  # type: ignore[misc]
        found[name] = [a / b for a, b in both]
    return found


def loop_over_step(size: Size) -> dict[str, list[float]]:
    """(b) images per CPU-second of `train`, with evaluation, over those of the bare step."""
    data, found = noise(size.epoch), {}
    for name, graph in GRAPHS.items():
        scores = train(module(graph, training=True), data, replace(FAST, epochs=100), 0)
        next(scores)
        run = stepper(module(graph, training=True))

        def whole(scores: object = scores) -> float:
            start = time.process_time()
            next(scores)  # type: ignore[call-overload]
            return time.process_time() - start

        both = pairs(whole, lambda run=run: run(size.epoch), size.epochs)  # type: ignore[misc]
        found[name] = [bare / loop for loop, bare in both]
    return found


def loop_over_plain(size: Size) -> dict[str, list[float]]:
    """(c) images per CPU-second of an epoch, with data loading and augmentation, without evaluation."""
    data, found = noise(size.epoch), {}
    for name, graph in GRAPHS.items():
        network, other = module(graph, training=True), BY_HAND[name]()
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        batches, source = Batches(data.train, data, CPU, FAST.crop_padding), torch.Generator().manual_seed(0)
        loop = TrainingLoop(network, replace(FAST, epochs=100), CPU, len(batches))

        def ours(loop: TrainingLoop = loop, batches: Batches = batches, source: torch.Generator = source) -> float:
            start = time.process_time()
            loop.run_epoch(batches.epoch(FAST, source))
            return time.process_time() - start

        def theirs(other: nn.Module = other) -> float:
            start = time.process_time()
            list(plain_epoch(other, data, FAST.batch))
            return time.process_time() - start

        found[name] = [b / a for a, b in pairs(ours, theirs, size.epochs)]
    return found


def worker(threads: int, seconds: float) -> None:
    """Train ResNet-20 for some seconds after a line arrives; print images per second of wall time."""
    torch.set_num_threads(threads)
    run = stepper(module(GRAPHS["ResNet-20"], training=True))
    print("ready", flush=True)
    sys.stdin.readline()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        run(1)
        steps += 1
    print(steps * FAST.batch / (time.perf_counter() - start), flush=True)


def together(threads: Sequence[int], seconds: float, busy: bool = False) -> float:
    """Return images per second of all workers together, next to a process in an endless loop if `busy`."""
    spinner = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if busy else None
    started = [_start(count, seconds) for count in threads]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()  # ready
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return sum(float(process.communicate()[0]) for process in started)
    finally:
        for process in started:
            process.kill()
            process.wait()
        if spinner:
            spinner.kill()
            spinner.wait()


def _start(threads: int, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.training", "--worker", str(threads), "--seconds", str(seconds)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    home = Path(__file__).parent.parent
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=home
    )


def workers(size: Size) -> dict[str, list[float]]:
    """(d) images per second of wall time: every ratio is from one round."""
    cores = os.cpu_count() or 1
    layouts = {"split": [1] * cores, "whole": [cores], "one": [1]}
    found: dict[str, list[float]] = {"quiet": [], "busy": [], "two": []}
    for turn in range(size.rounds):
        order = list(layouts) if turn % 2 == 0 else list(reversed(layouts))
        quiet = {name: together(layouts[name], size.seconds) for name in order}
        busy = {name: together(layouts[name], size.seconds, busy=True) for name in order if name != "one"}
        found["quiet"].append(quiet["split"] / quiet["whole"])
        found["busy"].append(busy["split"] / busy["whole"])
        found["two"].append(quiet["split"] / quiet["one"] * 2 / cores)
    return found


def row(what: str, ratios: Sequence[float], goal: float, minimum: bool = True) -> bool:
    """Print one line of the table, and return whether the median meets the goal, a minimum or a maximum."""
    middle = median(ratios)
    met = middle >= goal if minimum else middle <= goal
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}, n = {len(ratios)}"
    print(f"{what:58} {middle:7.3f}  {spread:24} {'>=' if minimum else '<='} {goal:<5} {'met' if met else 'MISSED'}")
    return met


def main() -> int:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="tiny settings: to see that it works; the figures mean nothing"
    )
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.seconds)
        return 0
    torch.set_num_threads(1)
    size, start = QUICK if options.quick else Size(), time.perf_counter()
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, {FAST.batch} images per batch; median, spread, goal")
    met = [
        row(f"(a) {name}: generated / by hand, CPU time", values, 1.02, minimum=False)
        for name, values in generated_over_by_hand(size).items()
    ]
    met += [
        row(f"(b) {name}: whole loop / bare step, images", values, 0.9) for name, values in loop_over_step(size).items()
    ]
    plain = loop_over_plain(size)
    for name, values in plain.items():
        row(f"(c) {name}: this loop / plain loop, images", values, 2.0)
    both = [geometric_mean(each) for each in zip(*plain.values(), strict=True)]
    met.append(row("(c) geometric mean of both", both, 2.0))
    found = workers(size)
    met.append(row("(d) workers of one thread / one of all threads, quiet", found["quiet"], 0.9))
    met.append(row("(d) the same next to a busy process", found["busy"], 3.0))
    met.append(row("(d) two workers / one, one thread each, trials per minute", found["two"], 1.8))
    print(f"{time.perf_counter() - start:.0f} s in all")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
