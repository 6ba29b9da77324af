"""What reports set beside accuracy: how deep, wide, branched and far-sighted a network is.

Every reading is of the network written out in layers, so it does not depend on the primitives used, and of the
graph that answers at evaluation.
"""

from dataclasses import dataclass
from itertools import pairwise

from nas.genome.cost import tally
from nas.genome.graph import Graph, Node, lower
from nas.genome.layers import AdaptivePool, pair
from nas.genome.op_kinds import Layer


def measure(graph: Graph) -> dict[str, float]:
    """The readings by name.

    depth, shortest_path, mean_path: weighted layers on the longest and shortest path from the image to the scores,
    and on the mean of all paths. receptive_field: see `receptive_field`; coverage: the same over the image's longer
    side. stages, first_width, last_width, widest: see `stages`. growth: the mean ratio of the widths of successive
    stages. bottleneck: the smallest ratio of elements of successive stages' widest images; far below the usual 1/2
    to 1/4, information is cut off (Szegedy et al. 2015b, principle 1). branches: see `branches`. head_share: the
    share of parameters that read features rather than images.
    """
    main = lower(graph.main)
    widths = [stage.width for stage in stages(main)]
    paths = path_lengths(main)
    sight = receptive_field(main)
    return {
        "depth": paths.longest,
        "shortest_path": paths.shortest,
        "mean_path": paths.mean,
        "receptive_field": sight,
        "coverage": sight / max(main.input[1:], default=1),
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
    """All images of one size: `grid` is (rows, columns), `width` the most channels any of them has."""

    grid: tuple[int, int]
    width: int


def stages(graph: Graph) -> list[Stage]:
    """The width profile: a stage for each size of image after the first layer, in order of appearance."""
    widths: dict[tuple[int, int], int] = {}
    for node in lower(graph.main).nodes[1:]:
        if len(node.shape) == 3:
            channels, rows, columns = node.shape
            widths[rows, columns] = max(channels, widths.get((rows, columns), 0))
    return [Stage(grid, width) for grid, width in widths.items()]


def bottlenecks(graph: Graph) -> list[float]:
    """For each stage but the first, the elements of its widest image over those of the stage before."""
    sizes = [stage.width * stage.grid[0] * stage.grid[1] for stage in stages(graph)]
    return [after / before for before, after in pairwise(sizes)]


def head_share(graph: Graph) -> float:
    """The share of parameters in layers that read features (fully connected ones), from 0 to 1."""
    nodes = lower(graph.main).nodes
    params = [(len(node.placed.inputs[0]) == 1, tally(node.placed).params) for node in nodes[1:]]
    total = sum(count for _, count in params)
    return sum(count for head, count in params if head) / total if total else 0.0


def branches(graph: Graph) -> int:
    """How many paths run beside the first: edges - nodes + 1, so 0 in a chain and 1 for each shortcut."""
    nodes = lower(graph.main).nodes
    return sum(len(node.inputs) for node in nodes) - len(nodes) + 1


@dataclass(frozen=True)
class Paths:
    """Weighted layers on the paths from image to scores, and how many paths there are."""

    shortest: int
    longest: int
    mean: float
    count: int


def path_lengths(graph: Graph) -> Paths:
    """Shortest, longest and mean path; all of them are counted (2^16 in ResNet-50), none is listed."""
    graph = lower(graph.main)
    rows: list[tuple[int, int, int, int]] = []  # shortest, longest, total over all paths, number of paths
    for node in graph.nodes:
        if not node.inputs:
            rows.append((0, 0, 0, 1))
            continue
        step = int(isinstance(node.op, Layer) and node.op.weighted)
        shortest, longest, totals, counts = zip(*(rows[i] for i in node.inputs), strict=True)
        count = sum(counts)
        rows.append((min(shortest) + step, max(longest) + step, sum(totals) + step * count, count))
    least, most, total, count = rows[graph.outputs[0]]
    return Paths(least, most, total / count, count)


@dataclass(frozen=True)
class Sight:
    """Along one axis: unit 0 sees the pixels `low` to `high`, its neighbour those `stride` further on."""

    stride: int
    low: int
    high: int

    @property
    def pixels(self) -> int:
        return self.high - self.low + 1

    def through(self, kernel: int, stride: int, padding: int) -> "Sight":
        """What a window over these units sees."""
        low = self.low - padding * self.stride
        return Sight(self.stride * stride, low, self.high + (kernel - 1 - padding) * self.stride)


def receptive_field(graph: Graph) -> int:
    """Pixels along one side of the image that a unit of the last convolution or pooling before the head sees.

    The image's border is ignored, so the field may be larger than the image.
    """
    return max((max(rows.pixels, columns.pixels) for rows, columns in receptive_fields(graph).values()), default=1)


def receptive_fields(graph: Graph) -> dict[str, tuple[Sight, Sight]]:
    """What a unit of each image sees along rows and columns, by the node's name in the lowered graph.

    The head is left out: whatever reads the whole image, and all that follows.
    """
    graph = lower(graph.main)
    seen: dict[int, tuple[Sight, Sight]] = {}
    for place, node in enumerate(graph.nodes):
        before = [seen[i] for i in node.inputs if i in seen]
        if not node.inputs and len(node.shape) == 3:
            seen[place] = Sight(1, 0, 0), Sight(1, 0, 0)
        elif len(node.shape) == 3 and len(before) == len(node.inputs) > 0 and not isinstance(node.op, AdaptivePool):
            seen[place] = _sight(node, before, 0), _sight(node, before, 1)
    return {graph.nodes[place].name: sight for place, sight in seen.items()}


def _sight(node: Node, before: list[tuple[Sight, Sight]], axis: int) -> Sight:
    sights = [sight[axis] for sight in before]
    joined = Sight(max(s.stride for s in sights), min(s.low for s in sights), max(s.high for s in sights))
    assert isinstance(node.op, Layer)
    window = node.op.sliding_window()
    return joined.through(*(pair(value)[axis] for value in window)) if window else joined


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 1.0
