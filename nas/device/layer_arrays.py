"""The weights of a trained torch module by layer, for all that needs no torch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nas.device.float_constants import LayerWeights
from nas.genome.graph import Graph
from nas.genome.op_kinds import Layer
from nas.model.forward import forward_steps

if TYPE_CHECKING:
    from torch import nn


def layer_arrays(graph: Graph, network: "nn.Module") -> LayerWeights:
    """Return the arrays of each layer with weights, by its name in the lowered graph.

    network: a module of the graph, its heads used only in training included, in the form that trains or the folded one.
    """
    from nas.model.fold import fold_network

    states: dict[str, dict[str, NDArray[Any]]] = {}
    for name, tensor in fold_network(graph, network).state_dict().items():
        module, _, key = name.rpartition(".")
        states.setdefault(module, {})[key] = tensor.detach().cpu().numpy()
    return dict(zip(_weighted_layers(graph, inner=False), states.values(), strict=False))


def _weighted_layers(graph: Graph, inner: bool, prefix: str = "") -> Iterator[str]:
    """Yield the names of layers with weights in the order of the module that is generated from the graph."""
    for step in forward_steps(graph, inner):
        for position in step.nodes:
            name, placed, _ = graph.nodes[position]
            if placed.body is not None:
                yield from _weighted_layers(placed.body, True, f"{prefix}{name}.")
            elif isinstance(placed.op, Layer) and placed.op.params(*placed.inputs):
                yield prefix + name
