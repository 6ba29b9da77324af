"""The edits by name. Each takes a graph and names of its nodes, and leaves the graph it was given as it was."""

from dataclasses import replace as with_fields
from math import gcd, lcm
from typing import Any, get_type_hints

from nas.errors import EditError, GenomeError
from nas.genome.edit.redraw import Drawn, again, finish, fit_shape, joined, redraw
from nas.genome.fingerprint import cuts
from nas.genome.graph import Graph, Node, Op, Value
from nas.genome.hyperparameters import Limits
from nas.genome.layers import Add, Concat
from nas.genome.op_kinds import Layer, Primitive

WIDTHS = Limits(1, 65_536)
NOT_WIDTHS = {"classes", "groups", "channels", "extents"}  # what the task fixes, or what follows from other widths
GRAIN = 8  # widths stay multiples of it where that moves them little
COARSE = 3  # a width is at least so many grains, or the grain is halved


def find(graph: Graph, name: str) -> Node:
    """A node by name; not the Input. Raises EditError with the names there are."""
    for node in graph.nodes[1:]:
        if node.name == name:
            return node
    known = ", ".join(node.name for node in graph.nodes[1:])
    raise EditError(f"no node {name[:60]!r} to edit; there are {known[:300]}")


def insert(graph: Graph, after: str, op: Op) -> Graph:
    """Let all readers of `after` read `op` on it instead; "input" puts it first."""
    if after != graph.nodes[0].name:
        find(graph, after)
    return redraw(graph, lambda node, inputs, _: op(again(node, inputs)) if node.name == after else None)


def remove(graph: Graph, name: str) -> Graph:
    """Let all readers of a node read its first input instead."""
    find(graph, name)
    return redraw(graph, lambda node, inputs, _: inputs[0] if node.name == name else None)


def replace(graph: Graph, name: str, op: Op) -> Graph:
    """Another op in a node's place, reading the same."""
    find(graph, name)
    return redraw(graph, lambda node, inputs, _: op(*inputs, name=name) if node.name == name else None)


def change(graph: Graph, name: str, **fields: Any) -> Graph:
    """Other hyperparameters for a node: a kernel, a growth, a dropout rate."""
    return replace(graph, name, changed(find(graph, name).op, **fields))


def changed(op: Op, **fields: Any) -> Op:
    """The op with other hyperparameters. Raises EditError for what it does not have or may not be."""
    for field in fields.keys() - op.values().keys():
        raise EditError(f"{op} has no `{field}`; it has {', '.join(op.values()) or 'no hyperparameters'}")
    try:
        return with_fields(op, **fields)
    except GenomeError as problem:
        raise EditError(str(problem)) from None


def widen(graph: Graph, name: str, factor: float) -> Graph:
    """Every width of a node times `factor`; see `scale` for the rounding."""
    return replace(graph, name, scaled(find(graph, name).op, factor))


def deepen(graph: Graph, name: str, by: int = 1) -> Graph:
    """`by` more repetitions inside a node; of a node without a depth, one more of its kind behind it."""
    op = find(graph, name).op
    if "depth" in op.values():
        return change(graph, name, depth=op.values()["depth"] + by)
    if "stride" in op.values():
        op = changed(op, stride=1)
    for _ in range(by):
        graph = insert(graph, name, op)
    return graph


def add_skip(graph: Graph, source: str, target: str) -> Graph:
    """Add the output of an earlier node to that of a later one, projected where the shapes differ."""
    find(graph, target)

    def change(node: Node, inputs: list[Value], drawn: Drawn) -> Value | None:
        if node.name != target:
            return None
        if source not in drawn:
            raise EditError(f"{source[:60]!r} does not come before {target!r}: a skip leads onwards")
        value = again(node, inputs)
        return joined(Add(), [value, fit_shape(drawn[source], value.shape)])

    return redraw(graph, change)


def add_branch(graph: Graph, name: str, op: Op, join: Add | Concat | None = None) -> Graph:
    """`op` beside a node, reading the same, the two summed or, with `join` a Concat, set side by side."""
    find(graph, name)

    def change(node: Node, inputs: list[Value], _: Drawn) -> Value | None:
        return joined(join or Add(), [again(node, inputs), op(*inputs)]) if node.name == name else None

    return redraw(graph, change)


def drop(graph: Graph, name: str, port: int) -> Graph:
    """Take one input away from a sum or concatenation: a skip or a branch less. One with a single input vanishes."""
    node = find(graph, name)
    if not isinstance(node.op, Add | Concat) or not 0 <= port < len(node.inputs):
        raise EditError(f"{name} is {node.op} of {len(node.inputs)} inputs; none at `port` (={port}) can be dropped")

    def change(node: Node, inputs: list[Value], _: Drawn) -> Value | None:
        return again(node, inputs[:port] + inputs[port + 1 :]) if node.name == name else None

    return redraw(graph, change)


def swap_head(graph: Graph, op: Op) -> Graph:
    """Another head in the classifier's place, reading the same image."""
    head = graph.nodes[graph.outputs[0]]
    if not isinstance(head.op, Primitive) or head.op.role != "head":
        raise EditError(f"the classifier {head.name} is {head.op}, not a head that can be swapped")
    return replace(graph, head.name, op)


def scale(graph: Graph, factor: float) -> Graph:
    """All widths times `factor`, rounded to what they were multiples of (8 at most, less where narrow) and to groups.

    Depthwise convolutions stay depthwise; a layer that gives the scores keeps its width.
    """
    kept = {graph.nodes[i].name for i in graph.outputs if isinstance(graph.nodes[i].op, Layer)}

    def change(node: Node, inputs: list[Value], _: Drawn) -> Value | None:
        if node.name in kept or not widths(node.op):
            return None
        channels, groups = node.placed.inputs[0][0], node.op.values().get("groups", 1)
        if 1 < groups == channels:
            each = node.shape[0] // groups
            channels = inputs[0].shape[0]
            return changed(node.op, groups=channels, width=each * channels)(*inputs, name=node.name)
        return scaled(node.op, factor)(*inputs, name=node.name)

    return redraw(graph, change)


def widths(op: Op) -> dict[str, Any]:
    """The hyperparameters that are numbers of channels or features, and free."""
    hints = get_type_hints(type(op), include_extras=True)
    free = [name for name in op.values() if name not in NOT_WIDTHS]
    return {name: getattr(op, name) for name in free if WIDTHS in getattr(hints[name], "__metadata__", ())}


def scaled(op: Op, factor: float) -> Op:
    """The op with every width times `factor`, rounded."""
    groups = op.values().get("groups", 1)

    def rounded(width: int) -> int:
        grain = gcd(width, GRAIN)
        while grain > 1 and width * factor < COARSE * grain:
            grain //= 2
        grain = lcm(grain, groups)
        return max(grain, grain * round(width * factor / grain))

    return changed(op, **{
        name: tuple(map(rounded, value)) if isinstance(value, tuple) else rounded(value)
        for name, value in widths(op).items()
    })  # fmt: skip


def cut_names(graph: Graph) -> list[str]:
    """The nodes every path from image to scores goes through, in order."""
    places = cuts([*[node.inputs for node in graph.nodes], graph.outputs])
    return [graph.nodes[place].name for place in places[:-1]]


def cross(first: Graph, second: Graph, here: str, there: str) -> Graph:
    """`first` up to `here`, then `second` from behind `there`; every path must go through each of the two nodes."""
    first, second = first.main, second.main
    for graph, name in ((first, here), (second, there)):
        if name not in cut_names(graph)[:-1]:
            raise EditError(f"{name[:60]!r} is not a node that every path goes through")
    value = {node.name: v for node, v in zip(first.nodes, first.to_values(), strict=True)}[here]
    drawn: Drawn = {there: value}
    behind = [node.name for node in second.nodes].index(there) + 1
    try:
        for node in second.nodes[behind:]:
            inputs = [drawn[second.nodes[i].name] for i in node.inputs]
            drawn[node.name] = again(node._replace(name=""), inputs)
    except EditError:
        raise
    except GenomeError as problem:
        raise EditError(f"the second network does not go on from {here}: {problem}") from None
    return finish([drawn[second.nodes[-1].name]], [first.nodes[first.outputs[0]].shape])
