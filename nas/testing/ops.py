"""The contract of a layer or primitive: call `check_op` in a test with the op and the shapes of its inputs."""

import re

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nas.errors import GenomeError
from nas.genome import Graph, Input, Op, Primitive, Shape, cost, fingerprint, from_json, lower, to_json
from nas.genome.op_kinds import Layer
from nas.model import module, source
from nas.model.fold import fold_network

SOURCE = re.compile(r"\b(19|20)\d\d\b|torch\.|section|figure")
BATCH = 2
TOLERANCE = 1e-5  # of the largest output, or of 1


def check_op(op: Op, shape: Shape, inputs: int = 1) -> None:
    """Check an op on inputs of one shape: its class, its counts against torch's, and its forms.

    Raises AssertionError that names the broken promise, and GenomeError where the op does not take the inputs.
    """
    check_op_class(type(op))
    graph = Graph.of(op(*[Input(shape)()] * inputs))
    check_op_counts(graph)
    check_op_forms(graph)
    check_op_folding(graph)


def check_op_class(op_class: type[Op]) -> None:
    """Check that an op is a layer or a primitive, cites a source, and refuses unknown fields. Raises AssertionError."""
    name = op_class.__name__
    assert issubclass(op_class, Layer) != issubclass(op_class, Primitive), f"{name} is not a layer or a primitive"
    cited = SOURCE.search(op_class.__doc__ or "")
    assert cited, f"{name}: say where it comes from (paper, section, or torch's function)"
    text = f'{{"format": "nas-genome/1", "nodes": [{{"name": "i", "op": "Input", "extents": [3, 8, 8]}}, ' \
           f'{{"name": "x", "op": "{name}", "inputs": ["i"], "no_such_field": 1}}], "outputs": ["x"]}}'  # fmt: skip
    message = ""
    try:
        from_json(text)
    except GenomeError as problem:
        message = str(problem)
    assert "no_such_field" in message, f"{name}: a genome with an unknown field is not refused by name: {message!r}"


def check_op_counts(graph: Graph) -> None:
    """Check a graph's shape, parameters and MACs against those of its torch module. Raises AssertionError."""
    counts = cost(graph)
    with torch.device("meta"):
        network = module(graph).eval()
        images = torch.empty(BATCH, *graph.input)
    scores, macs = _counted(network, images)
    shape, expected = tuple(scores.shape[1:]), graph.nodes[graph.outputs[0]].shape
    assert shape == expected, f"torch returns {shape}, not {expected}"
    params = _params(network)
    assert params == counts.params, f"torch has {params} parameters, not {counts.params}"
    assert macs == counts.macs, f"torch counts {macs} MACs, not {counts.macs}"


def check_op_forms(graph: Graph) -> None:
    """Check that JSON and the layers that a graph lowers to are the same network. Raises AssertionError."""
    assert from_json(to_json(graph)) == graph, "the genome read back is another network"
    assert cost(lower(graph)) == cost(graph), "the counts change when primitives are written out"
    assert fingerprint(lower(graph)) == fingerprint(graph), "the fingerprint changes when primitives are written out"


def check_op_folding(graph: Graph) -> None:
    """Check a graph that trains in a form of its own: folded, it computes the same, and is no larger.

    The statistics of its batch norms are random. Raises AssertionError.
    """
    if source(graph, training=True) == source(graph):
        return
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        trained, images = module(graph, training=True).eval(), torch.randn(BATCH, *graph.input)
        for layer in trained.modules():
            if isinstance(layer, nn.BatchNorm2d):
                _randomize(layer)
    folded = fold_network(graph, trained)
    assert folded is not trained, "no module of the form that trains has a method `folded`"
    (before, macs), (after, folded_macs) = _counted(trained, images), _counted(folded, images)
    difference = float((after - before).abs().max() / before.abs().max().clamp(min=1))
    assert difference <= TOLERANCE, f"folded, the outputs differ by {difference:.1e}"
    assert _params(folded) <= _params(trained), "folded, there are more parameters"
    assert folded_macs <= macs, "folded, there are more MACs"


def _counted(network: nn.Module, images: Tensor) -> tuple[Tensor, float]:
    """Return the outputs, and the MACs per image by torch's counter."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        scores: Tensor = network(images)
    return scores, counter.get_total_flops() / (2 * len(images))


def _params(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _randomize(norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    for tensor in (norm.weight, norm.bias, norm.running_mean):
        nn.init.normal_(tensor)
    nn.init.uniform_(norm.running_var, 0.1, 3.0)
