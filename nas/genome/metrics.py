"""Metrics of structure for reports: depth, widths, branches and receptive field.

All are of the graph used at evaluation, written out in layers, so they do not depend on the primitives used.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import prod

from nas.genome.cost import tally
from nas.genome.graph import Graph, Node, lower
from nas.genome.layers import AdaptivePool, pair
from nas.genome.op_kinds import Layer


def measure(graph: Graph) -> dict[str, float]:
    """Return all metrics by name.

    depth, shortest_path, mean_path: weighted layers on the longest and shortest path from the image to the logits,
    and the mean over all paths. receptive_field: see `receptive_field`; coverage: the same as a fraction of the
    longer side of the image. stages, first_width, last_width, widest: see `stages`. growth: the mean ratio of the
    widths of successive stages. bottleneck: the smallest ratio of the elements of the widest images of successive
    stages; far below the usual 1/2 to 1/4, information is lost (Szegedy et al. 2015b, principle 1). branches: see
    `branches`. head_share: the fraction of parameters in layers that read features rather than images.
    """
    main = lower(graph.main)
    widths = [stage.width for stage in stages(main)]
    paths = path_lengths(main)
    field = receptive_field(main)
    return {
        "depth": paths.longest,
        "shortest_path": paths.shortest,
        "mean_path": paths.mean,
        "receptive_field": field,
        "coverage": field / max(main.input[1:], default=1),
        "stages": len(widths),
        "first_width": widths[0] if widths else 0,
        "last_width": widths[-1] if widths else 0,
        "widest": max(widths, default=0),
        "growth": _mean([after / before for before, after in pairwise(widths)]),
        "bottleneck": min(bottlenecks(main), default=1.0),
        "branches": branches(main),
        "head_share": head_share(main),
    }


@dataclass(frozen=True)
class Stage:
    """All images of one size: `grid` is (rows, columns), `width` the largest number of channels."""

    grid: tuple[int, int]
    width: int


def stages(graph: Graph) -> list[Stage]:
    """Return the width profile: a stage for each size of image after the input, in order of appearance.

    One value per channel that scales a larger image, as in squeeze-and-excitation, is not a stage.
    """
    graph = lower(graph.main)
    widths: dict[tuple[int, int], int] = {}
    for node, gate in list(zip(graph.nodes, _gates(graph), strict=True))[1:]:
        if len(node.shape) == 3 and not gate:
            channels, rows, columns = node.shape
            widths[rows, columns] = max(channels, widths.get((rows, columns), 0))
    return [Stage(grid, width) for grid, width in widths.items()]


def _gates(graph: Graph) -> list[bool]:
    """Return for each node whether it is one value per channel from which a larger image is computed."""
    sizes = [prod(node.shape[1:]) for node in graph.nodes]
    largest = list(sizes)  # of the node and all that is computed from it
    for position, node in reversed(list(enumerate(graph.nodes))):
        for before in node.inputs:
            largest[before] = max(largest[before], largest[position])
    return [size == 1 < most for size, most in zip(sizes, largest, strict=True)]


def bottlenecks(graph: Graph) -> list[float]:
    """Return for each stage but the first the elements of its widest image over those of the previous stage."""
    sizes = [stage.width * stage.grid[0] * stage.grid[1] for stage in stages(graph)]
    return [after / before for before, after in pairwise(sizes)]


def head_share(graph: Graph) -> float:
    """Return the fraction of parameters in layers that read features (fully connected ones), from 0 to 1.

    Layers from which an image is computed are not of the head.
    """
    graph = lower(graph.main)
    rows = list(zip(graph.nodes, _gates(graph), strict=True))[1:]
    params = [(len(node.placed.inputs[0]) == 1 and not gate, tally(node.placed).params) for node, gate in rows]
    total = sum(count for _, count in params)
    return sum(count for head, count in params if head) / total if total else 0.0


def branches(graph: Graph) -> int:
    """Return the number of parallel paths: edges - nodes + 1, so 0 in a chain and 1 for each shortcut."""
    nodes = lower(graph.main).nodes
    return sum(len(node.inputs) for node in nodes) - len(nodes) + 1


@dataclass(frozen=True)
class Paths:
    """Weighted layers on the paths from image to logits, and the number of paths."""

    shortest: int
    longest: int
    mean: float
    count: int


def path_lengths(graph: Graph) -> Paths:
    """Return the shortest, longest and mean path, over all paths (2^16 in ResNet-50), without enumerating them."""
    graph = lower(graph.main)
    rows: list[tuple[int, int, int, int]] = []  # shortest, longest, total over all paths, number of paths
    for node in graph.nodes:
        if not node.inputs:
            rows.append((0, 0, 0, 1))
            continue
        step = int(isinstance(node.op, Layer) and node.op.weighted)
        low, high, totals, counts = zip(*(rows[i] for i in node.inputs), strict=True)
        count = sum(counts)
        rows.append((min(low) + step, max(high) + step, sum(totals) + step * count, count))
    shortest, longest, total, count = rows[graph.outputs[0]]
    return Paths(shortest, longest, total / count, count)


@dataclass(frozen=True)
class Field:
    """The receptive field along one axis: unit 0 reads the pixels `low` to `high`, unit 1 those `stride` later."""

    stride: int
    low: int
    high: int

    @property
    def pixels(self) -> int:
        return self.high - self.low + 1

    def through(self, kernel: int, stride: int, padding: int) -> "Field":
        """Return the field of a window over these units."""
        low = self.low - padding * self.stride
        return Field(self.stride * stride, low, self.high + (kernel - 1 - padding) * self.stride)


def receptive_field(graph: Graph) -> int:
    """Return the side, in pixels, of the receptive field of the last convolution or pooling before the head.

    The border of the image is ignored, so the field may be larger than the image.
    """
    return max((max(rows.pixels, columns.pixels) for rows, columns in receptive_fields(graph).values()), default=1)


def receptive_fields(graph: Graph) -> dict[str, tuple[Field, Field]]:
    """Return the fields of each image's units along rows and columns, by the node's name in the lowered graph.

    The head is left out: the first layer that reads the whole image, and all that is computed from it alone.
    """
    graph = lower(graph.main)
    fields: dict[int, tuple[Field, Field]] = {}
    for position, node in enumerate(graph.nodes):
        before = [fields[i] for i in node.inputs if i in fields]
        if not node.inputs and len(node.shape) == 3:
            fields[position] = Field(1, 0, 0), Field(1, 0, 0)
        elif len(node.shape) == 3 and before and not isinstance(node.op, AdaptivePool):
            fields[position] = _field(node, before, 0), _field(node, before, 1)
    return {graph.nodes[position].name: both for position, both in fields.items()}


def _field(node: Node, before: list[tuple[Field, Field]], axis: int) -> Field:
    fields = [both[axis] for both in before]
    joined = Field(max(f.stride for f in fields), min(f.low for f in fields), max(f.high for f in fields))
    assert isinstance(node.op, Layer)
    window = node.op.sliding_window()
    return joined.through(*(pair(value)[axis] for value in window)) if window else joined


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 1.0
