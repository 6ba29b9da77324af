"""The contract of a layer or primitive: call `check_op` in a test with the op and the shapes of its inputs."""

import re

import torch
from torch.utils.flop_counter import FlopCounterMode

from nas.errors import GenomeError
from nas.genome import Graph, Input, Op, Primitive, Shape, cost, fingerprint, from_json, lower, to_json
from nas.genome.op_kinds import Layer
from nas.model import module

SOURCE = re.compile(r"\b(19|20)\d\d\b|torch\.|section|figure")
BATCH = 2


def check_op(op: Op, shape: Shape, inputs: int = 1) -> None:
    """Check an op on inputs of one shape: its class, its counts against torch's, and its forms.

    Raises AssertionError that names the broken promise, and GenomeError where the op does not take the inputs.
    """
    check_op_class(type(op))
    graph = Graph.of(op(*[Input(shape)()] * inputs))
    check_op_counts(graph)
    check_op_forms(graph)


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
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        scores = network(images)
    shape, expected = tuple(scores.shape[1:]), graph.nodes[graph.outputs[0]].shape
    assert shape == expected, f"torch returns {shape}, not {expected}"
    params = sum(parameter.numel() for parameter in network.parameters())
    assert params == counts.params, f"torch has {params} parameters, not {counts.params}"
    macs = counter.get_total_flops() / (2 * BATCH)
    assert macs == counts.macs, f"torch counts {macs} MACs, not {counts.macs}"


def check_op_forms(graph: Graph) -> None:
    """Check that JSON and the layers that a graph lowers to are the same network. Raises AssertionError."""
    assert from_json(to_json(graph)) == graph, "the genome read back is another network"
    assert cost(lower(graph)) == cost(graph), "the counts change when primitives are written out"
    assert fingerprint(lower(graph)) == fingerprint(graph), "the fingerprint changes when primitives are written out"
