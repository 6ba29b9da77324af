"""The inside of a block as a few boxes and the connections between them.

Norms, activations and dropout are folded into the box next to them. Concatenations inside are not drawn: a layer that
reads one is connected to all its parts, so a dense block looks dense. The boxes come from the block's own expansion,
so a new primitive needs no code here.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from nas.genome import activations as a
from nas.genome import layers as p
from nas.genome.channel_layers import ChannelSplit
from nas.genome.graph import Graph, Node, Op, PlacedOp, lower
from nas.genome.node_names import snake
from nas.genome.norms import BatchNorm
from nas.genome.op_kinds import Layer
from nas.report.text import TIMES

Kind = Literal["port", "conv", "linear", "pool", "join", "plain"]
POOLS = (p.MaxPool, p.AvgPool, p.AdaptivePool, p.GlobalPool)
NAMES: dict[type[Op], str] = {
    p.GlobalPool: "global average", p.Add: "+", p.Mul: TIMES, a.Relu: "ReLU", a.Relu6: "ReLU6", a.Prelu: "PReLU",
    a.Silu: "SiLU", a.Gelu: "GELU", BatchNorm: "batch norm",
}  # fmt: skip
ALONE = (*POOLS, p.Flatten, ChannelSplit)  # boxes of their own, though without weights
MAX_BOXES = 64
MAX_INSIDE = 16  # layers of an inner block that still make one readable box


@dataclass(frozen=True)
class Box:
    """One layer, or one inner block, with the folded layers before and after it."""

    label: str
    kind: Kind
    side: int = 1  # kernel, for its shade
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sketch:
    """Boxes in order and (from, to) between them. The first boxes are ports: where the block's inputs enter."""

    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]


def label(op: Op) -> str:
    """Return a layer as papers write it in a figure: `3x3 conv, 64, /2`."""
    values = op.values()
    stride = values.get("stride", 1)
    tail = "" if stride == 1 else f", /{stride if type(stride) is int else _side(stride)}"
    if isinstance(op, p.Conv):
        groups = "" if op.groups == 1 else ", depthwise" if op.groups == op.width else f", {op.groups} groups"
        dilated = "" if op.dilation == 1 else f", dilated by {_side(op.dilation)}"
        return f"{_side(op.kernel)} conv, {op.width}{groups}{dilated}{tail}"
    if isinstance(op, p.MaxPool | p.AvgPool):
        return f"{_side(op.window)} {'max' if isinstance(op, p.MaxPool) else 'average'} pool{tail}"
    if isinstance(op, p.Linear):
        return f"linear, {op.width}"
    return NAMES.get(type(op), snake(type(op).__name__).replace("_", " "))


def folds(op: Op) -> bool:
    """Return whether a layer is drawn with its neighbor: it has no kernel, no window, and changes no shape."""
    return (
        isinstance(op, Layer)
        and op.arity == 1
        and not (op.weighted or isinstance(op, (*POOLS, p.Flatten, ChannelSplit)))
    )


def _side(value: Any) -> str:
    return TIMES.join(map(str, p.pair(value)))


def kind(op: Op) -> Kind:
    """Return the kind of a layer, which sets its color."""
    if isinstance(op, p.Conv):
        return "conv"
    if isinstance(op, p.Linear):
        return "linear"
    if isinstance(op, POOLS):
        return "pool"
    return "join" if isinstance(op, p.Add | p.Mul | p.Concat) else "plain"


@lru_cache(maxsize=4_096)
def sketch(placed: PlacedOp) -> Sketch | None:
    """Return the inside of a block, or a layer as one box; None where more than 64 boxes would have to be drawn."""
    body = placed.body
    if body is None:
        ports = len(placed.inputs)
        return Sketch((*[Box("", "port")] * ports, _box([placed.op])), tuple((i, ports) for i in range(ports)))
    if len(body.nodes) > 20 * MAX_BOXES:
        return None
    builder = _SketchBuilder(body)
    for node in body.nodes:
        builder.add(node)
    found = builder.finish()
    return found if len(found.boxes) <= MAX_BOXES else None


def _box(ops: list[Op]) -> Box:
    """Return layers in a row as one box, labeled by those that are not folded, each as it is at evaluation."""
    ops = [op.evaluated() if isinstance(op, Layer) else op for op in ops]
    solid = [i for i, op in enumerate(ops) if not folds(op)] or [0]
    heavy = [ops[i] for i in solid if isinstance(ops[i], p.Conv | p.Linear)] or [ops[i] for i in solid]
    convs = [op for op in heavy if isinstance(op, p.Conv)]
    text = label(heavy[-1])
    if len(heavy) > 1:
        text = " → ".join([*(label(op).split(" ")[0] for op in heavy[:-1]), text])
    before, after = ops[: solid[0]], ops[solid[-1] + 1 :]
    side = max([max(p.pair(op.kernel)) for op in convs], default=1)
    return Box(text, kind(heavy[-1]), side, tuple(map(label, before)), tuple(map(label, after)))


class _SketchBuilder:
    """Sketches a body node by node. A value is represented by the boxes it comes from and the layers not yet drawn."""

    def __init__(self, body: Graph) -> None:
        self.body = body
        self.boxes: list[list[Op] | str] = []  # layers of a box, or the name of a port or of a large inner block
        self.edges: list[tuple[int, int]] = []
        self.values: list[tuple[tuple[int, ...], tuple[Op, ...]]] = []  # boxes it comes from, layers pending
        self.readers = [0] * len(body.nodes)
        for node in body.nodes:
            for i in node.inputs:
                self.readers[i] += 1

    def add(self, node: Node) -> None:
        if not node.inputs:
            self.boxes.append("")
            self.values.append(((len(self.boxes) - 1,), ()))
        elif folds(node.op):
            self._fold(node)
        elif isinstance(node.op, p.Concat):
            self.values.append((self._sources(node), self._pending(node)))
        else:
            self._draw(node)

    def _fold(self, node: Node) -> None:
        (read,) = node.inputs
        sources, pending = self.values[read]
        last = self.boxes[sources[0]]
        if len(sources) == 1 and self.readers[read] == 1 and isinstance(last, list) and not pending:
            last.append(node.op)
            self.values.append((sources, ()))
        else:
            self.values.append((sources, (*pending, node.op)))

    def _draw(self, node: Node) -> None:
        inside, passes = _inside(node.placed)
        self.boxes.append([*self._pending(node), *inside] if inside else type(node.op).__name__)
        place = len(self.boxes) - 1
        sources = self._sources(node)
        self.edges += [(source, place) for source in sources]
        self.values.append(((*sources, place) if passes else (place,), ()))

    def _sources(self, node: Node) -> tuple[int, ...]:
        return tuple(dict.fromkeys(source for i in node.inputs for source in self.values[i][0]))

    def _pending(self, node: Node) -> tuple[Op, ...]:
        return tuple(op for i in dict.fromkeys(node.inputs) for op in self.values[i][1])

    def finish(self) -> Sketch:
        sources, pending = self.values[self.body.outputs[0]]
        boxes = [_box(ops) if isinstance(ops, list) else Box(ops, "plain" if ops else "port") for ops in self.boxes]
        if len(sources) > 1:
            boxes.append(Box("concat", "join", after=tuple(map(label, pending))))
            self.edges += [(source, len(boxes) - 1) for source in sources]
        elif pending:
            boxes.append(_box(list(pending)))
            self.edges.append((sources[0], len(boxes) - 1))
        return Sketch(tuple(boxes), tuple(self.edges))


def _inside(placed: PlacedOp) -> tuple[list[Op], bool]:
    """Return the layers of an inner block that is a chain, and whether it concatenates its input to its output."""
    if placed.body is None:
        return [placed.op], False
    body = lower(placed.body)
    if len(body.nodes) > MAX_INSIDE:
        return [], False
    last = body.nodes[body.outputs[0]]
    passes = isinstance(last.op, p.Concat) and 0 in last.inputs
    rest = body.nodes[1:-1] if passes else body.nodes[1:]
    chain = all(node.inputs == (i,) for i, node in enumerate(rest))
    return ([node.op for node in rest] if chain else []), passes
