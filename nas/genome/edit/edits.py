"""The edits by name. Each takes a graph and names of its nodes, and returns a new graph.

All raise EditError when a name is unknown or the result is not a network for the same task.
"""

from dataclasses import replace as with_fields
from math import gcd, lcm
from typing import Any, get_type_hints

from nas.errors import EditError, GenomeError
from nas.genome.edit.redraw import NewValues, again, finish, fit_shape, joined, redraw
from nas.genome.fingerprint import cuts
from nas.genome.graph import Graph, Node, Op, Value
from nas.genome.hyperparameters import Limits
from nas.genome.layers import Add, Concat
from nas.genome.op_kinds import Layer, Primitive

WIDTHS = Limits(1, 65_536)
NOT_WIDTHS = {"classes", "groups", "channels", "extents"}  # fixed by the task, or by other widths
GRAIN = 8  # widths are rounded to multiples of it where that changes them little
MIN_GRAINS = 3  # a width of fewer grains is rounded to half the grain


def find_node(graph: Graph, name: str) -> Node:
    """Return a node by name; not the Input. Raises EditError with the known names."""
    for node in graph.nodes[1:]:
        if node.name == name:
            return node
    known = ", ".join(node.name for node in graph.nodes[1:])
    raise EditError(f"there is no node {name[:60]!r} to edit; the nodes are {known[:300]}")


def insert(graph: Graph, after: str, op: Op) -> Graph:
    """Put `op` between the node `after` and all its readers; after "input" it comes first."""
    if after != graph.nodes[0].name:
        find_node(graph, after)
    return redraw(graph, lambda node, inputs, _: op(again(node, inputs)) if node.name == after else None)


def remove(graph: Graph, name: str) -> Graph:
    """Remove a node: its readers read its first input instead."""
    find_node(graph, name)
    return redraw(graph, lambda node, inputs, _: inputs[0] if node.name == name else None)


def replace(graph: Graph, name: str, op: Op) -> Graph:
    """Replace the op of a node; its inputs stay."""
    find_node(graph, name)
    return redraw(graph, lambda node, inputs, _: op(*inputs, name=name) if node.name == name else None)


def change(graph: Graph, name: str, **fields: Any) -> Graph:
    """Change hyperparameters of a node, such as a kernel, a growth or a dropout rate."""
    return replace(graph, name, changed(find_node(graph, name).op, **fields))


def changed(op: Op, **fields: Any) -> Op:
    """Return the op with other hyperparameters. Raises EditError for an unknown one or an illegal value."""
    for field in fields.keys() - op.values().keys():
        raise EditError(f"{op} has no `{field}`; it has {', '.join(op.values()) or 'no hyperparameters'}")
    try:
        return with_fields(op, **fields)
    except GenomeError as problem:
        raise EditError(str(problem)) from None


def widen(graph: Graph, name: str, factor: float) -> Graph:
    """Multiply every width of a node by `factor`; see `scale` for the rounding."""
    return replace(graph, name, scale_op(find_node(graph, name).op, factor))


def deepen(graph: Graph, name: str, by: int = 1) -> Graph:
    """Repeat a node's layers `by` times more; a node without a depth is repeated after itself."""
    op = find_node(graph, name).op
    if "depth" in op.values():
        return change(graph, name, depth=op.values()["depth"] + by)
    if "stride" in op.values():
        op = changed(op, stride=1)
    for _ in range(by):
        graph = insert(graph, name, op)
    return graph


def add_skip(graph: Graph, source: str, target: str) -> Graph:
    """Add the output of an earlier node to that of a later one, projected where the shapes differ."""
    find_node(graph, target)

    def change(node: Node, inputs: list[Value], values: NewValues) -> Value | None:
        if node.name != target:
            return None
        if source not in values:
            raise EditError(f"{source[:60]!r} does not come before {target!r}: a skip must lead forward")
        value = again(node, inputs)
        return joined(Add(), [value, fit_shape(values[source], value.shape)])

    return redraw(graph, change)


def add_branch(graph: Graph, name: str, op: Op, join: Add | Concat | None = None) -> Graph:
    """Add `op` in parallel to a node, on the same inputs, and join the outputs by a sum or a Concat."""
    find_node(graph, name)

    def change(node: Node, inputs: list[Value], _: NewValues) -> Value | None:
        return joined(join or Add(), [again(node, inputs), op(*inputs)]) if node.name == name else None

    return redraw(graph, change)


def drop(graph: Graph, name: str, port: int) -> Graph:
    """Remove one input of a sum or concatenation: a skip or a branch. With one input left, it is removed too."""
    node = find_node(graph, name)
    if not isinstance(node.op, Add | Concat) or not 0 <= port < len(node.inputs):
        raise EditError(f"{name} is {node.op} with {len(node.inputs)} inputs; `port` (={port}) cannot be dropped")

    def change(node: Node, inputs: list[Value], _: NewValues) -> Value | None:
        return again(node, inputs[:port] + inputs[port + 1 :]) if node.name == name else None

    return redraw(graph, change)


def swap_head(graph: Graph, op: Op) -> Graph:
    """Replace the classifier by another head on the same input."""
    head = graph.nodes[graph.outputs[0]]
    if not isinstance(head.op, Primitive) or head.op.role != "head":
        raise EditError(f"the classifier {head.name} is {head.op}, not a head that can be swapped")
    return replace(graph, head.name, op)


def scale(graph: Graph, factor: float) -> Graph:
    """Multiply all widths by `factor`, rounded to multiples of the groups and of the largest power of 2 up to 8 that
    divided them (a smaller one where they are narrow).

    Depthwise convolutions stay depthwise; a layer that computes the logits keeps its width.
    """
    kept = {graph.nodes[i].name for i in graph.outputs if isinstance(graph.nodes[i].op, Layer)}

    def change(node: Node, inputs: list[Value], _: NewValues) -> Value | None:
        if node.name in kept or not widths(node.op):
            return None
        channels, groups = node.placed.inputs[0][0], node.op.values().get("groups", 1)
        if 1 < groups == channels:
            each = node.op.values()["width"] // groups
            channels = inputs[0].shape[0]
            return changed(node.op, groups=channels, width=each * channels)(*inputs, name=node.name)
        return scale_op(node.op, factor)(*inputs, name=node.name)

    return redraw(graph, change)


def widths(op: Op) -> dict[str, Any]:
    """Return the hyperparameters that are numbers of channels or features and may be changed."""
    hints = get_type_hints(type(op), include_extras=True)
    free = [name for name in op.values() if name not in NOT_WIDTHS]
    return {name: getattr(op, name) for name in free if WIDTHS in getattr(hints[name], "__metadata__", ())}


def scale_op(op: Op, factor: float) -> Op:
    """Return the op with every width multiplied by `factor` and rounded."""
    groups = op.values().get("groups", 1)

    def rounded(width: int) -> int:
        grain = gcd(width, GRAIN)
        while grain > 1 and width * factor < MIN_GRAINS * grain:
            grain //= 2
        grain = lcm(grain, groups)
        return max(grain, grain * round(width * factor / grain))

    return changed(op, **{
        name: tuple(map(rounded, value)) if isinstance(value, tuple) else rounded(value)
        for name, value in widths(op).items()
    })  # fmt: skip


def cut_names(graph: Graph) -> list[str]:
    """Return the nodes that every path from image to logits goes through, in order."""
    positions = cuts([*[node.inputs for node in graph.nodes], graph.outputs])
    return [graph.nodes[position].name for position in positions[:-1]]


def cross(first: Graph, second: Graph, here: str, there: str) -> Graph:
    """Return `first` up to `here`, followed by `second` after `there`. All paths must go through each of the two."""
    first, second = first.main, second.main
    for graph, name in ((first, here), (second, there)):
        if name not in cut_names(graph)[:-1]:
            raise EditError(f"{name[:60]!r} is not a node that every path goes through")
    value = {node.name: v for node, v in zip(first.nodes, first.to_values(), strict=True)}[here]
    values: NewValues = {there: value}
    start = [node.name for node in second.nodes].index(there) + 1
    try:
        for node in second.nodes[start:]:
            inputs = [values[second.nodes[i].name] for i in node.inputs]
            values[node.name] = again(node._replace(name=""), inputs)
    except EditError:
        raise
    except GenomeError as problem:
        raise EditError(f"the second network does not fit after {here}: {problem}") from None
    return finish([values[second.nodes[-1].name]], [first.nodes[first.outputs[0]].shape])
