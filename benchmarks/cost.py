"""Counting a network: torch's way over ours, each ratio measured in one run.

    OMP_NUM_THREADS=1 python benchmarks/cost.py [--runs 9] [--genomes 3000] [--only mobile regnet]

Torch's way is to build the module on the meta device and to run FlopCounterMode over it; the class is the one we
generate, compiled beforehand. Ours is

- cold: from genome JSON to all counts, nothing kept from before (new process, first network);
- new: the counts of a graph never seen, its blocks seen before, as in a running search;
- child: the counts of a graph that differs from the last in one block never seen before;
- "+ drawing": the same with the graph's own making, read from JSON or edited, added.

Ours always counts parameters, MACs, activations, peak memory and depth; torch's way parameters and MACs only.
"""

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nas.genome import Graph, Task, cost, fingerprint, from_json, to_json
from nas.genome.baselines import baseline
from nas.genome.edit import insert
from nas.genome.graph import Node, Op, place_op
from nas.genome.interning import construct
from nas.genome.primitives import Cell
from nas.genome.primitives.cells import Operation
from nas.model.source import source
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space

NETWORKS = (
    "cifar_resnet20", "resnet50", "cifar_resnet56", "densenet_bc_100_12", "densenet121", "googlenet_paper_noaux",
    "inception_v3_torchvision", "vgg_D", "mobilenet_v2", "shufflenet_v2_x1_0", "squeezenet1_1", "regnet_y_400mf",
    "resnext50_32x4d", "convnext_tiny",
)  # fmt: skip
SPACES = ("mobile", "regnet", "shuffle", "mixed")
CIFAR10 = Task("cifar10", (3, 32, 32), 10)
OPERATIONS: tuple[Operation, ...] = ("conv1x1", "conv3x3", "maxpool3x3")


@dataclass(frozen=True)
class Times:
    """Seconds of processor time, of several runs."""

    runs: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    def __str__(self) -> str:
        low, _, high = statistics.quantiles(self.runs, n=4)
        return f"{_seconds(self.median)} ({_seconds(low)}-{_seconds(high)})"


def _seconds(value: float) -> str:
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} us"


def timed(run: Callable[[Any], object], given: Iterator[Any], count: int) -> Times:
    """Time `run` on each of `count` things made one by one, their making not counted."""
    runs = []
    for thing, _ in zip(given, range(count), strict=False):
        start = time.process_time()
        run(thing)
        runs.append(time.process_time() - start)
    return Times(runs)


def torchs_way(graph: Graph) -> Callable[[Any], tuple[int, int]]:
    """Parameters and FLOPs as torch counts them, the class compiled beforehand."""
    namespace: dict[str, Any] = {"__name__": "network"}
    exec(compile(source(graph), "network", "exec"), namespace)

    def count(_: Any) -> tuple[int, int]:
        with torch.device("meta"):
            network: nn.Module = namespace["Network"]().eval()
            images = torch.empty(1, *graph.input)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(images)
        return sum(weight.numel() for weight in network.parameters()), counter.get_total_flops()

    return count


def always(value: Any) -> Iterator[Any]:
    """The same thing for ever."""
    while True:
        yield value


def from_nothing(text: str) -> Iterator[str]:
    """The same text for ever, all that is kept dropped each time."""
    while True:
        clear_caches()
        yield text


def clear_caches() -> None:
    """Drop all ops and what is computed from them, as in a new process."""
    construct.cache_clear()
    place_op.cache_clear()


def middle(graph: Graph) -> Node:
    """The image in the middle of the list."""
    images = [node for node in graph.nodes[1:] if len(node.shape) == 3]
    return images[len(images) // 2]


def fresh_cells(width: int) -> Iterator[Cell]:
    """Blocks of five operations, none twice, that keep an image's shape."""
    rng = random.Random(width)
    seen: set[Cell] = set()
    while True:
        ops = tuple(rng.choices(OPERATIONS, k=5))
        chain = tuple((i, i + 1) for i in range(6))
        cell = Cell(width, ops, chain + tuple((a, rng.randint(a + 1, 6)) for a in range(6)))
        if cell not in seen:
            seen.add(cell)
            yield cell


def compare(name: str, graph: Graph, runs: int) -> None:
    """One network: its rows of the table."""
    text, place = to_json(graph), middle(graph)
    count = torchs_way(graph)
    counts = cost(graph)
    if count(None) != (counts.params, counts.flops):
        raise SystemExit(f"{name}: the counts differ from torch's")
    torch_time = timed(count, always(None), runs)
    cells = fresh_cells(place.shape[0])
    ours = {
        "cold": timed(lambda text: cost(from_json(text)), from_nothing(text), runs * 5),
        "new": timed(cost, (from_json(text) for _ in always(None)), runs * 20),
        "new + drawing": timed(lambda text: cost(from_json(text)), always(text), runs * 20),
        "child": timed(cost, (with_block(graph, place.name, cell) for cell in cells), runs * 10),
        "child + drawing": timed(lambda cell: cost(insert(graph, place.name, cell)), cells, runs * 10),
    }
    print(f"{name}: torch {torch_time}")
    for what, times in ours.items():
        print(f"    {what:16} {times!s:28} {torch_time.median / times.median:8,.0f} x")


def with_block(graph: Graph, after: str, op: Op) -> Graph:
    """The graph with a block more, drawn but, unlike by `insert`, not yet counted."""
    values: list[Any] = []
    for node in graph.nodes:
        value = node.op(*[values[i] for i in node.inputs], name=node.name)
        values.append(op(value) if node.name == after else value)
    return Graph.of(*[values[i] for i in graph.outputs])


def sampled(count: int) -> None:
    """Genomes of the `mixed` space drawn and counted per second, and where the time goes."""
    space = load_space("mixed")
    clear_caches()
    for what, first in (("first", 0), ("next", count)):
        start = time.process_time()
        graphs = [sample_network(space, CIFAR10, seed) for seed in range(first, first + count)]
        drawn = time.process_time()
        for graph in graphs:
            cost(graph)
        counted = time.process_time()
        for graph in graphs:
            fingerprint(graph)
        named = time.process_time()
        print(f"mixed, {what} {count:,} genomes: {count / (counted - start):,.0f} drawn and counted per second")
        parts = {"drawing": drawn - start, "counting": counted - drawn, "fingerprint (beside)": named - counted}
        print("    each: " + ", ".join(f"{part} {_seconds(seconds / count)}" for part, seconds in parts.items()))


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="runs of torch's way; ours is run more often")
    parser.add_argument("--genomes", type=int, default=3_000, help="genomes of the mixed space to draw and count")
    parser.add_argument("--only", nargs="*", help="baselines, and spaces of which one network is drawn; default: all")
    options = parser.parse_args()
    torch.set_num_threads(1)
    gc.freeze()  # torch's own objects need not be looked through again
    print(f"torch {torch.__version__}, one thread; processor time, medians (quartiles)")
    for name in options.only or (*NETWORKS, *SPACES):
        graph = sample_network(load_space(name), CIFAR10, 0) if name in SPACES else baseline(name).main
        compare(name, graph, options.runs)
    sampled(options.genomes)


if __name__ == "__main__":
    main()
