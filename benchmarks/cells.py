"""Cells against the published tables: how many distinct ones there are, and what each costs.

    python benchmarks/cells.py [--vertices 6] [--nasbench201 TABLE] [--nasbench101 TABLE]

A TABLE is a CSV or Parquet file of published results and does not come with the toolkit: of NAS-Bench-201 with the
columns arch_str, params and flops_cifar10; of NAS-Bench-101 with adjacency (row by row), ops (comma-separated) and
trainable_parameters.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product
from pathlib import Path
from typing import Any

from nas.genome import Graph, Input, Value, cost, fingerprint
from nas.genome.activations import Relu
from nas.genome.layers import AvgPool, Conv, MaxPool
from nas.genome.norms import BatchNorm
from nas.genome.primitives import Cell, ConvUnit, GapHead
from nas.genome.primitives.cells import nasbench101, nasbench201

MAX_EDGES = 9
PUBLISHED = {4: 91, 5: 2_532, 6: 64_542}  # distinct cells of at most so many vertices (Ying et al. 2019)
LABELS = ("conv1x1", "conv3x3", "maxpool3x3")
Matrix = list[list[int]]


def whole_cells(vertices: int) -> Iterator[tuple[tuple[str, ...], tuple[tuple[int, int], ...]]]:
    """Labels and edges of all cells whose every vertex lies on a path from input to output."""
    pairs = list(combinations(range(vertices), 2))
    inner = range(1, vertices - 1)
    for count in range(1, MAX_EDGES + 1):
        for edges in combinations(pairs, count):
            # Every edge points onwards: a vertex that is read and reads lies on such a path.
            if {a for a, _ in edges} >= {0, *inner} and {b for _, b in edges} >= {*inner, vertices - 1}:
                for labels in product(LABELS, repeat=vertices - 2):
                    yield labels, edges


def as_network(labels: tuple[Any, ...], edges: tuple[tuple[int, int], ...]) -> Graph:
    """The cell with sums for joints, so that two networks are equal exactly when the labelled graphs are isomorphic.

    Channel splits, which tell the vertices before the output apart, and projections are left out: the sum of a
    vertex's edges followed by its operation shows each vertex and each edge once, and nothing else.
    """
    x: Value = Input((4, 4, 4))()
    y = Cell(4, labels, edges, "sum").expand(x)
    return Graph.of(GapHead(2)(y))


def distinct_cells(vertices: int) -> int:
    """How many different cells of at most so many vertices there are, by fingerprint."""
    return len({fingerprint(as_network(*cell)) for v in range(2, vertices + 1) for cell in whole_cells(v)})


def network_201(arch: str) -> Graph:
    """The network NAS-Bench-201 trained on CIFAR-10 (Dong & Yang 2020, fig. 1)."""
    x = BatchNorm()(Conv(16, 3)(Input((3, 32, 32))()))
    for stage, width in enumerate((16, 32, 64)):
        if stage:
            y = BatchNorm()(Conv(width, 3, 2)(Relu()(x)))
            x = BatchNorm()(Conv(width, 3)(Relu()(y))) + Conv(width, 1)(AvgPool(2, 2)(x))
        for _ in range(5):
            x = nasbench201(arch, width)(x)
    return Graph.of(GapHead(10)(Relu()(BatchNorm()(x))))


def counts_201(arch: str) -> tuple[int, int]:
    """Parameters and "flops" as NAS-Bench-201 counts them: MACs, and one for each bias of the classifier."""
    counts = cost(network_201(arch))
    return counts.params, counts.macs + 10


def network_101(matrix: Matrix, labels: Sequence[str]) -> Graph:
    """The network NAS-Bench-101 trained on CIFAR-10 (Ying et al. 2019, fig. 1)."""
    x = ConvUnit(128, 3)(Input((3, 32, 32))())
    for stage, width in enumerate((128, 256, 512)):
        x = MaxPool(2, 2)(x) if stage else x
        for _ in range(3):
            x = nasbench101(matrix, labels, width)(x)
    return Graph.of(GapHead(10)(x))


def rows_of(adjacency: str) -> Matrix:
    """ "0110..." -> [[0, 1, ...], [1, 0, ...], ...]."""
    side = round(len(adjacency) ** 0.5)
    return [[int(edge) for edge in adjacency[i * side : (i + 1) * side]] for i in range(side)]


def renumbered(matrix: Matrix, labels: Sequence[str]) -> Iterator[tuple[Matrix, list[str]]]:
    """The same cell with its inner vertices in every other order that keeps edges pointing onwards."""
    size = len(labels)
    for inner in permutations(range(1, size - 1)):
        old = [0, *inner, size - 1]
        moved = [[matrix[a][b] for b in old] for a in old]
        if not any(moved[a][b] for a in range(size) for b in range(a + 1)):
            yield moved, [labels[a] for a in old]


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a table of published results."""
    import pandas as pd

    table = pd.read_csv(path, dtype={"adjacency": str}) if path.suffix == ".csv" else pd.read_parquet(path)
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False)]


def check_201(path: Path) -> None:
    """Compare every cell's counts with the table's."""
    rows = read(path)
    same = sum(counts_201(row["arch_str"]) == (row["params"], row["flops_cifar10"]) for row in rows)
    print(f"NAS-Bench-201: parameters and flops equal in {same:,} of {len(rows):,} cells")


def check_101(path: Path) -> None:
    """Compare every cell's parameters with the table's."""
    rows = read(path)
    same = moved = 0
    for row in rows:
        cell = rows_of(row["adjacency"]), row["ops"].split(",")
        if cost(network_101(*cell)).params == row["trainable_parameters"]:
            same += 1
        else:  # the table names one cell of a class; another may have been trained, its channels split unevenly
            moved += any(cost(network_101(*other)).params == row["trainable_parameters"] for other in renumbered(*cell))
    print(f"NAS-Bench-101: parameters equal in {same:,} of {len(rows):,} cells,")
    print(f"  and in {moved:,} more once the vertices of the same cell are put in another order")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vertices", type=int, default=5, choices=range(2, 8), help="count cells of at most so many")
    parser.add_argument("--nasbench201", type=Path, help="a table of NAS-Bench-201")
    parser.add_argument("--nasbench101", type=Path, help="a table of NAS-Bench-101")
    options = parser.parse_args()
    start = time.perf_counter()
    found, published = distinct_cells(options.vertices), PUBLISHED.get(options.vertices, "unknown")
    seconds = time.perf_counter() - start
    print(f"distinct cells of at most {options.vertices} vertices: {found:,}, published {published} ({seconds:.0f} s)")
    for name, path, check in (
        ("NAS-Bench-201", options.nasbench201, check_201),
        ("NAS-Bench-101", options.nasbench101, check_101),
    ):
        if path is None or not path.is_file():
            print(f"{name}: no table{f' at {path}' if path else ' given'}, so its counts are not compared")
        else:
            check(path)


if __name__ == "__main__":
    main()
