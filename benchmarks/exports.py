"""How far exported files are from their networks: random genomes of every space, and baselines, in every format.

    python benchmarks/exports.py [--genomes 40] [--most-params 30000000] [--baselines NAME,NAME]

A line an export: the largest difference of a score (a share of the largest score where that is above 1) at batches of
1, 2 and 7, by format, and the seconds it took. The files run in a clean process, without this toolkit. Takes about a
quarter of an hour on two cores.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from nas.genome import Graph, Task, cost
from nas.genome.baselines import BASELINES, baseline
from nas.model.export import export_network
from nas.model.formats import FORMATS
from nas.model.module import module
from nas.model.parity import TOLERANCE
from nas.resources import names
from nas.search.propose.candidate import sample_network
from nas.search.space import load_space

TASKS = (Task("small", (1, 8, 8), 10), Task("coloured", (3, 32, 32), 10))


def genomes(count: int) -> Iterator[tuple[str, Graph]]:
    """Draws from one space after another, for one task after another."""
    spaces = names("search_spaces", ".py")
    for number in range(count):
        space, task = spaces[number % len(spaces)], TASKS[number // len(spaces) % len(TASKS)]
        yield f"{space} seed {number} {task.name}", sample_network(load_space(space), task, number)


def measure(graph: Graph) -> dict[str, float]:
    """The largest difference by format, at any batch size."""
    torch.manual_seed(0)
    task = Task("images", graph.input, graph.nodes[graph.outputs[0]].shape[0])
    with tempfile.TemporaryDirectory() as place:
        done = export_network(graph, module(graph), Path(place), task, "A story.", {}, FORMATS)
    return {name: max(row.values()) for name, row in done.parity.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genomes", type=int, default=40)
    parser.add_argument("--most-params", type=int, default=30_000_000)
    parser.add_argument("--baselines", default=",".join(BASELINES))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [(name, baseline(name)) for name in filter(None, asked.baselines.split(","))]
    chosen = [(name, graph) for name, graph in chosen if cost(graph).params <= asked.most_params]
    worst = 0.0
    for name, graph in [*genomes(asked.genomes), *chosen]:
        start = time.perf_counter()
        apart = measure(graph)
        worst = max(worst, *apart.values())
        row = "  ".join(f"{kind} {value:.1e}" for kind, value in apart.items())
        print(f"{name:<34}{cost(graph).params:>12,}  {row}  {time.perf_counter() - start:.0f} s", flush=True)
    count = asked.genomes + len(chosen)
    print(f"{count} exports in {', '.join(FORMATS)}: at most {worst:.1e} apart; {TOLERANCE:.0e} is allowed")


if __name__ == "__main__":
    main()
