"""From the layers of a network to fused integer operations.

Layers that scale and shift channels, such as batch norm, are folded into the convolution before them; elsewhere they
become a multiplication and an addition by constants. ReLU is fused into the operation before it, dropout vanishes, and
auxiliary heads are left out.
"""

from math import prod

from nas.device.builder import IntegerGraphBuilder, Stored, unsupported
from nas.device.integer_graph import IntegerGraph
from nas.device.layer_conversions import CONVERSIONS
from nas.genome.channel_layers import ZeroPad
from nas.genome.graph import Graph, Node, lower
from nas.genome.layers import AdaptivePool, Conv, Dropout, Flatten, GlobalPool
from nas.genome.op_kinds import Layer
from nas.genome.paper_layers import ChannelPad
from nas.genome.primitives.cells import Narrow


def integer_graph(graph: Graph) -> IntegerGraph:
    """Return the integer operations of a network.

    Raises DeviceError, which names the layer, where the runtime lacks an operation.
    """
    lowered = lower(graph.main)
    sources = _sources(lowered)
    readers = _readers(lowered, sources)
    builder, values = IntegerGraphBuilder(), list[Stored]()
    for position, node in enumerate(lowered.nodes):
        inputs = [values[i] for i in node.inputs]
        if sources[position] != position:
            value = builder.bordered(node, inputs[0])
            values.append(value._replace(is_flattened=value.is_flattened or _is_flattening(node)))
            continue
        value = _converted(builder, node, inputs)._replace(readers=readers[position])
        values.append(builder.bordered(node, value) if value.readers > 1 else value)
    last = lowered.outputs[0]
    output = builder.features(lowered.nodes[last], builder.bordered(lowered.nodes[last], values[last]))
    return IntegerGraph(tuple(builder.tensors), tuple(builder.ops), output, lowered)


def _converted(builder: IntegerGraphBuilder, node: Node, inputs: list[Stored]) -> Stored:
    kind = type(node.op.evaluated() if isinstance(node.op, Layer) else node.op)
    convert = CONVERSIONS.get(kind)
    if convert is None:
        raise unsupported(node, "the runtime has no operation for it")
    if kind is not Conv:
        inputs = [builder.bordered(node, value) for value in inputs]
    return convert(builder, node, inputs)


def _sources(graph: Graph) -> list[int]:
    """Return for each node the one that makes its elements: itself, or the one behind layers that change none."""
    sources: list[int] = []
    for position, node in enumerate(graph.nodes):
        sources.append(sources[node.inputs[0]] if _changes_nothing(node) else position)
    return sources


def _readers(graph: Graph, sources: list[int]) -> list[int]:
    """Return how many layers read what each node makes; the output is read by its user."""
    readers = [0] * len(graph.nodes)
    for position, node in enumerate(graph.nodes):
        if sources[position] == position:
            for i in node.inputs:
                readers[sources[i]] += 1
    readers[sources[graph.outputs[0]]] += 1
    return readers


def _changes_nothing(node: Node) -> bool:
    """Return whether the elements of the output are those of the only input, at evaluation."""
    kind = type(node.op)
    if kind in (Dropout, Flatten):
        return True
    if kind in (AdaptivePool, ChannelPad, Narrow, ZeroPad):
        return node.shape == node.placed.inputs[0]
    return kind is GlobalPool and prod(node.placed.inputs[0][1:]) == 1


def _is_flattening(node: Node) -> bool:
    return len(node.shape) == 1 < len(node.placed.inputs[0])
