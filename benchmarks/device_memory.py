"""Counted RAM and flash beside those of TensorFlow Lite Micro, for random networks of all bundled spaces.

    python -m benchmarks.device_memory [--networks 2000] [--seed 1]

Each network is drawn from a space and a task in turn, every second one edited up to three times. Its file is written
with made-up weights and loaded by the runtime in an arena of exactly `ram` bytes. Networks of more than 400,000
parameters are passed over. What differs is listed.
"""

import argparse
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from benchmarks.micro_runtime import Arena, MadeUpNumbers, arena_of, load
from nas.device.bookkeeping import bookkeeping_bound
from nas.device.conversion import integer_graph
from nas.device.footprint import Footprint, footprint
from nas.device.tflite_file import tflite_bytes
from nas.errors import DeviceError, GenomeError
from nas.genome import Graph, Task, cost
from nas.genome.edit import mutate
from nas.resources import names
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space

TASKS = (Task("digits", (1, 8, 8), 10), Task("small", (3, 16, 16), 7), Task("cifar10", (3, 32, 32), 10))
MAX_PARAMS = 400_000


@dataclass(frozen=True)
class Comparison:
    """Our counts of one network, and the runtime's. bound: of its tail."""

    seed: int
    counted: Footprint
    bound: int
    file: int
    arena: Arena

    @property
    def is_exact(self) -> bool:
        """Return whether activations and file are as counted, and the tail is within its bound."""
        counted = (self.counted.activation_ram, self.counted.flash)
        return counted == (self.arena.head, self.file) and self.arena.tail <= self.bound


def random_networks(seed: int) -> Iterator[tuple[int, Graph]]:
    """Yield networks of all bundled spaces and the tasks, each with a seed of its own, without end."""
    spaces = names("search_spaces", ".py")
    for number in range(seed * 1_000_000, (seed + 1) * 1_000_000):
        rng = random.Random(number)
        with suppress(GenomeError):
            graph = sample_network(load_space(spaces[number % len(spaces)]), rng.choice(TASKS), number)
            for _ in range(rng.choice((0, 0, 0, 1, 2, 3))):
                graph = mutate(graph, rng)
            if cost(graph).params <= MAX_PARAMS:
                yield number, graph


def compare(seed: int, graph: Graph) -> Comparison:
    """Return a network's counts and the runtime's. Raises DeviceError, and RuntimeError where it does not load."""
    counted, integers = footprint(graph), integer_graph(graph)
    file = tflite_bytes(integers, MadeUpNumbers(integers, seed))
    return Comparison(seed, counted, bookkeeping_bound(integers), len(file), arena_of(load(file, counted.ram)))


def main() -> None:
    """Compare, and print the exceptions and a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found: list[Comparison] = []
    lacking: Counter[str] = Counter()
    for seed, graph in random_networks(options.seed):
        if len(found) + lacking.total() == options.networks:
            break
        try:
            found.append(compare(seed, graph))
        except DeviceError as problem:
            layer, why = str(problem).split(": ")[1:3]
            lacking[f"{layer.partition('(')[0]}: {why}"] += 1
    for each in found:
        if not each.is_exact:
            print(each)
    slack = [each.bound - each.arena.tail for each in found]
    beyond = [each.counted.ram / (each.arena.head + each.arena.tail) for each in found]
    print(f"{len(found)} networks run in exactly `ram` bytes, of {options.networks} drawn")
    for why, count in lacking.items():
        print(f"{count} have no counts. {why}")
    print(f"{sum(each.is_exact for each in found)} exact: activations and file to the byte, the tail within its bound")
    print(f"bound less tail: {min(slack)} to {max(slack)} bytes, median {statistics.median(slack):.0f}")
    print(f"ram over head and tail: median {statistics.median(beyond):.3f}, at most {max(beyond):.3f}")


if __name__ == "__main__":
    main()
