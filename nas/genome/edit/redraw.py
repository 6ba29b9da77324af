"""How every edit is made: the network is rebuilt node by node, with inputs of sums and concatenations fitted."""

from collections.abc import Callable, Sequence
from math import ceil

from nas.errors import EditError, GenomeError
from nas.genome.cost import cost
from nas.genome.graph import Graph, Node, Shape, Value
from nas.genome.layers import Add, AvgPool, Concat, Linear
from nas.genome.primitives.units import conv_bn

NewValues = dict[str, Value]  # the new values so far, by the names of the old nodes
Change = Callable[[Node, list[Value], NewValues], Value | None]
"""Given a node, its new inputs and the new values so far: the value that replaces it; None to keep it."""


def redraw(graph: Graph, change: Change) -> Graph:
    """Return the graph with `change` applied to every node. Raises EditError when it is not a network for the task."""
    values: NewValues = {}
    try:
        for node in graph.nodes:
            inputs = [values[graph.nodes[i].name] for i in node.inputs]
            value = change(node, inputs, values)
            values[node.name] = again(node, inputs) if value is None else value
        heads = [values[graph.nodes[i].name] for i in graph.outputs]
    except EditError:
        raise
    except GenomeError as problem:
        raise EditError(f"the edit does not fit: {problem}") from None
    return finish(heads, [graph.nodes[i].shape for i in graph.outputs])


def finish(heads: Sequence[Value], shapes: Sequence[Shape]) -> Graph:
    """Return the graph of these heads. Raises EditError unless they have these shapes and the cost can be counted."""
    if [head.shape for head in heads] != list(shapes) or any(not head.inputs for head in heads):
        raise EditError(f"the edit gives {', '.join(str(head.shape) for head in heads)}, not {shapes[0]}")
    try:
        graph = Graph.of(*heads)
        cost(graph, auxiliary=True)
    except GenomeError as problem:
        raise EditError(f"the edit does not fit: {problem}") from None
    return graph


def again(node: Node, inputs: Sequence[Value]) -> Value:
    """Apply a node to new inputs. A sum or concatenation fits their shapes, and is left out when only one is left."""
    if isinstance(node.op, Add | Concat):
        return joined(node.op, inputs, node.name)
    return node.op(*inputs, name=node.name)


def joined(op: Add | Concat, inputs: Sequence[Value], name: str | None = None) -> Value:
    """Join inputs on the smallest of their grids; a sum has the width of the first input."""
    grid = min((value.shape[1:] for value in inputs), key=lambda sides: (len(sides), sides))
    width = inputs[0].shape[0]
    fitted = [fit_shape(value, (width if isinstance(op, Add) else value.shape[0], *grid)) for value in inputs]
    return fitted[0] if len(fitted) == 1 else op(*fitted, name=name)


def fit_shape(value: Value, shape: Shape) -> Value:
    """Return the value in another shape: average-pooled, or projected by a strided 1x1 convolution and norm where the
    channels differ (He et al. 2015, section 3.3, option B). Raises EditError for a larger grid."""
    if value.shape == shape:
        return value
    if len(value.shape) != len(shape):
        raise EditError(f"an image and features cannot be joined: {value.shape} and {shape}")
    if len(shape) == 1:
        return Linear(shape[0])(value)
    steps = [ceil(side / goal) for side, goal in zip(value.shape[1:], shape[1:], strict=True)]
    stride = steps[0] if steps[0] == steps[1] else (steps[0], steps[1])
    fitted = AvgPool(stride, stride)(value) if value.shape[0] == shape[0] else conv_bn(value, shape[0], 1, stride)
    if fitted.shape != shape:
        raise EditError(f"{value.shape} cannot be reduced to {shape} by one stride")
    return fitted
