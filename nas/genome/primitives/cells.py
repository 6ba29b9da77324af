"""Cells: small graphs of operations with free edges, as in NAS-Bench-101 and NAS-Bench-201."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Annotated, Literal, get_args

from nas.errors import GenomeError
from nas.genome.activations import Relu
from nas.genome.graph import Shape, Value
from nas.genome.hyperparameters import Limits, Width
from nas.genome.layers import Add, AvgPool, Concat, Conv, MaxPool, image
from nas.genome.norms import BatchNorm
from nas.genome.op_kinds import Call, Layer, Primitive
from nas.genome.primitives.units import conv_bn, unit

MAX_OPS = 32
Operation = Literal["conv1x1", "conv3x3", "maxpool3x3", "avgpool3x3", "skip", "zero"]
Join = Literal["concat", "sum"]
Operations = tuple[Operation, ...]
Edges = Annotated[tuple[tuple[int, int], ...], Limits(0, MAX_OPS + 1)]


@dataclass(frozen=True)
class Zero(Layer):
    """Zeros of the input's shape, in place of a connection (Dong & Yang 2020, section 2.1, "zeroize")."""

    forward = "0 * {0}"

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@dataclass(frozen=True)
class Narrow(Layer):
    """The first `channels` channels (torch.narrow): to read a wider vertex (Ying et al. 2019, section 2.4)."""

    channels: Width

    torch_class_source = '''
class Narrow(nn.Module):
    """The first channels of an image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return x[:, : self.channels]
'''

    def shape(self, *inputs: Shape) -> Shape:
        channels, rows, columns = image(self, *inputs)
        if self.channels > channels:
            raise self.shape_error(f"`channels` (={self.channels}) is more than the image has", *inputs)
        return self.channels, rows, columns

    def module(self, *inputs: Shape) -> Call:
        return Call("Narrow", (("channels", self.channels),))


@dataclass(frozen=True)
class Cell(Primitive):
    """A graph of operations, each applied to the sum of its inputs (Ying et al. 2019, section 2; fig. 1).

    Vertex 0 is the input, 1 to n are `ops` in order, n + 1 is the output; an edge (a, b), a < b, means that b reads
    a. Vertices that are not on a path from input to output are left out. The output has `width` channels. Its edges
    are joined by

    - "concat", as in NAS-Bench-101 (section 2.4): the vertices read by the output divide its channels between them, a
      vertex is as wide as its widest reader, and every edge from the input is a 1x1 convolution, the one to the
      output added after the concatenation;
    - "sum", as in NAS-Bench-201 (Dong & Yang 2020, section 2.1): every vertex has `width` channels, and the input
      goes through one 1x1 convolution if it has another number of channels.

    With `order` "conv norm relu" a convolution is followed by norm and ReLU; with "relu conv norm" it is preceded by
    ReLU and followed by norm.
    """

    width: Width
    ops: Operations = ("conv3x3", "conv3x3")
    edges: Edges = ((0, 1), (1, 2), (2, 3), (0, 3))
    join: Join = "concat"
    order: Literal["conv norm relu", "relu conv norm"] = "conv norm relu"

    def __post_init__(self) -> None:
        super().__post_init__()
        end = len(self.ops) + 1
        if len(self.ops) > MAX_OPS:
            raise GenomeError(f"Cell: `ops` has {len(self.ops):,} operations; at most {MAX_OPS} are allowed")
        for edge in self.edges:
            if not isinstance(edge, tuple) or not edge[0] < edge[1] <= end:
                raise GenomeError(f"Cell: `edges` has {edge}; an edge (a, b) needs 0 <= a < b <= {end}")
        object.__setattr__(self, "edges", tuple(sorted(set(self.edges))))
        if end not in self.reads():
            raise GenomeError("Cell: `edges` has no path from the input to the output")

    def reads(self) -> dict[int, list[int]]:
        """Return what each vertex on a path from input to output reads, in order of vertices."""
        end = len(self.ops) + 1
        ahead, behind = {0}, {end}
        for a, b in sorted(self.edges):
            if a in ahead:
                ahead.add(b)
        for a, b in sorted(self.edges, reverse=True, key=lambda edge: edge[1]):
            if b in behind:
                behind.add(a)
        alive = ahead & behind
        live = [(a, b) for a, b in self.edges if a in alive and b in alive]
        return {v: [a for a, b in live if b == v] for v in sorted(alive - {0})}

    def widths(self) -> dict[int, int]:
        """Return the channels of each remaining vertex. Raises GenomeError when `width` is too small to divide."""
        reads = self.reads()
        end = len(self.ops) + 1
        if self.join == "sum":
            return dict.fromkeys(reads, self.width)
        shared = [v for v in reads[end] if v]
        if len(shared) > self.width:
            raise GenomeError(f"Cell: `width` (={self.width}) is less than the {len(shared)} vertices the output joins")
        widths = {end: self.width}
        for rank, v in enumerate(shared):
            widths[v] = self.width // len(shared) + (rank < self.width % len(shared))
        for v in reversed(reads):
            if v not in widths:
                widths[v] = max(widths[b] for b in reads if v in reads[b] and b != end)
        return widths

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        widths = self.widths()
        if self.join == "sum" and x.shape[0] != self.width:
            x = conv_bn(x, self.width, 1, name="project")
        values = {0: x}
        *inner, (end, last) = self.reads().items()
        for v, sources in inner:
            terms = [self.read(values[a], a, widths[v]) for a in sources]
            values[v] = self.apply(self.ops[v - 1], reduce(Add(), terms), widths[v])
        if self.join == "sum":
            return reduce(Add(), [values[a] for a in last])
        parts = [values[a] for a in last if a]
        joined = [parts[0] if len(parts) == 1 else Concat()(*parts)] if parts else []
        return reduce(Add(), [*joined, *[unit(x, widths[end], 1) for a in last if not a]])

    def class_name(self, *inputs: Shape) -> str:
        return "CellProjection" if self.join == "sum" and inputs[0][0] != self.width else "Cell"

    def read(self, value: Value, source: int, width: int) -> Value:
        """Return the value of a vertex with the `width` channels of its reader."""
        if self.join == "concat" and source == 0:
            return unit(value, width, 1)
        return value if value.shape[0] == width else Narrow(width)(value)

    def apply(self, op: Operation, x: Value, width: int) -> Value:
        """Return the value after one operation, which keeps the size of the image."""
        if op in ("conv1x1", "conv3x3"):
            kernel = int(op[-1])
            return unit(x, width, kernel) if self.order[0] == "c" else BatchNorm()(Conv(width, kernel)(Relu()(x)))
        others = {"maxpool3x3": MaxPool(3, 1, 1), "avgpool3x3": AvgPool(3, 1, 1, count_padding=False), "zero": Zero()}
        return others[op](x) if op in others else x


def nasbench101(matrix: Sequence[Sequence[int]], labels: Sequence[str], width: int) -> Cell:
    """Return a NAS-Bench-101 cell from its upper-triangular adjacency matrix and labels, from "input" to "output".

    Raises GenomeError for an unknown label.
    """
    names = {"conv3x3-bn-relu": "conv3x3", "conv1x1-bn-relu": "conv1x1", "maxpool3x3": "maxpool3x3"}
    edges = [(a, b) for a, row in enumerate(matrix) for b, edge in enumerate(row) if edge]
    return Cell(width, tuple(_known(names, label) for label in labels[1:-1]), tuple(edges))


def nasbench201(arch: str, width: int) -> Cell:
    """Return a NAS-Bench-201 cell from its name, "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|...|".

    The benchmark's operations are edges; here each is a vertex that reads one node and is read by the next. Edges
    named "none" are kept as zeros, because the benchmark trained the convolutions and norms after them. Raises
    GenomeError for an unknown operation.
    """
    names = {"nor_conv_1x1": "conv1x1", "nor_conv_3x3": "conv3x3", "avg_pool_3x3": "avgpool3x3"}
    names |= {"skip_connect": "skip", "none": "zero"}
    nodes = [[edge.split("~") for edge in node.strip("|").split("|")] for node in arch.split("+")]
    ops: list[Operation] = []
    edges: list[tuple[int, int]] = []
    vertices = [0]  # the vertex of each node
    for number, node in enumerate(nodes, 1):
        before = len(ops)
        for label, source in node:
            ops.append(_known(names, label))
            edges.append((vertices[int(source)], len(ops)))
        if number < len(nodes):
            ops.append("skip")
        vertices.append(before + len(node) + 1)
        edges += [(v, vertices[-1]) for v in range(before + 1, before + len(node) + 1)]
    return Cell(width, tuple(ops), tuple(edges), "sum", "relu conv norm")


def _known(names: dict[str, str], label: str) -> Operation:
    for operation in get_args(Operation):
        if names.get(label) == operation:
            return operation  # type: ignore[no-any-return]
    raise GenomeError(f"{label[:40]!r} is not an operation of this benchmark; its operations are {', '.join(names)}")
