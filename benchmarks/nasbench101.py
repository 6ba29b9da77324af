"""NAS-Bench-101 as a search space over a sample of its cells: 21 possible edges and five operations (Ying et al. 2019).

Only a sample of the 423,624 cells is published with its results here, so the choices are moved to the nearest cell of
the sample, and every choice leads to a network whose results are known.
"""

from collections.abc import Sequence
from functools import cache
from itertools import combinations

import numpy as np

from nas.genome import Graph, Task, Trial, Value
from nas.genome.layers import MaxPool
from nas.genome.primitives import ConvUnit, GapHead
from nas.genome.primitives.cells import nasbench101

Cell = tuple[str, str]
"""A cell as the file has it: its adjacency matrix row by row, "0110...", and its operations with commas between."""
VERTICES = 7
EDGES = list(combinations(range(VERTICES), 2))
OPERATIONS = ["conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3"]
TASK = Task("cifar10", (3, 32, 32), 10)


class CellSpace:
    """The space over a sample of cells.

    Edges and operations are bits: two per edge, and per operation one for each that there is, so that another edge and
    another operation both differ in two bits. Two cells are as near as the bits in which they differ are few. A cell of
    fewer vertices leaves the last inner ones without edges, and their operations count for nothing.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = list(cells)
        full = [_padded(cell) for cell in self.cells]
        self._bits = np.array([pack(edges, ops) for edges, ops in full], np.uint64)
        self._counted = np.array([pack([1] * len(EDGES), [op and "any" for op in ops]) for _, ops in full], np.uint64)

    def __call__(self, trial: Trial, _task: Task) -> Graph:
        """Ask for each edge and each operation, and return the network of the nearest cell."""
        edges = [trial.suggest_categorical(f"edge_{a}_{b}", [0, 1]) for a, b in EDGES]
        ops = [trial.suggest_categorical(f"op_{vertex}", OPERATIONS) for vertex in range(1, VERTICES - 1)]
        return network(self.cells[self.nearest(edges, ops)])

    def nearest(self, edges: Sequence[int], ops: Sequence[str]) -> int:
        """Return the place of the cell that differs in the fewest edges and operations; of equals, the first."""
        differ = (self._bits ^ np.uint64(pack(edges, ops))) & self._counted
        return int(np.argmin(np.bitwise_count(differ)))


def pack(edges: Sequence[int], ops: Sequence[str]) -> int:
    """Return the bits of a cell; "any" has those of every operation, "" none."""
    edge_bits = [bit for edge in edges for bit in (edge, edge)]
    op_bits = [op in (each, "any") for op in ops for each in OPERATIONS]
    return sum(1 << place for place, bit in enumerate([*edge_bits, *op_bits]) if bit)


def _padded(cell: Cell) -> tuple[list[int], list[str]]:
    """Return a cell's edges and operations between seven vertices; "" is the operation of one that it lacks."""
    matrix, labels = _matrix(cell[0]), cell[1].split(",")
    last = len(matrix) - 1
    edges = {(a, b if b < last else VERTICES - 1) for a, row in enumerate(matrix) for b, edge in enumerate(row) if edge}
    return [int(edge in edges) for edge in EDGES], [*labels[1:-1], *[""] * (VERTICES - 1 - last)]


def _matrix(adjacency: str) -> list[list[int]]:
    side = round(len(adjacency) ** 0.5)
    return [[int(edge) for edge in adjacency[i * side : (i + 1) * side]] for i in range(side)]


@cache
def network(cell: Cell) -> Graph:
    """Return a cell's network with one cell per stage where the benchmark has three."""
    x: Value = ConvUnit(128, 3)(TASK.image())
    for stage, width in enumerate((128, 256, 512)):
        x = MaxPool(2, 2)(x) if stage else x
        x = nasbench101(_matrix(cell[0]), cell[1].split(","), width)(x)
    return Graph.of(GapHead(TASK.classes)(x))
