"""A graph as a torch module, made by running its generated source: what is trained is what is exported."""

import linecache

import torch
from torch import nn

from nas.errors import GenomeError
from nas.genome.cost import cost
from nas.genome.graph import Graph
from nas.model.source import source

MAX_BYTES = 64 * 2**30


def module(graph: Graph) -> nn.Module:
    """Return the network as a torch module. A traceback through it shows the line of generated source.

    Weights are torch's defaults; initialization is part of training. Raises GenomeError when the weights alone would
    need more than 64 GiB.
    """
    counts = cost(graph, auxiliary=True)
    if 4 * counts.params > MAX_BYTES:
        raise GenomeError(f"the network has {counts.params:,} parameters, which need more than {MAX_BYTES:,} bytes")
    return run_source(source(graph))


def run_source(text: str) -> nn.Module:
    """Execute source text and return its Network. Only for text written by `source`: it runs whatever it contains."""
    name = f"<network {hash(text) & 0xFFFFFFFF:08x}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace: dict[str, object] = {"__name__": "network"}
    exec(compile(text, name, "exec"), namespace)
    network = namespace["Network"]
    assert isinstance(network, type)
    built = network()
    assert isinstance(built, nn.Module)
    return built


def outputs(network: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the logits of all heads, the classifier first, whether the network returns a tensor or a tuple."""
    given = network(images)
    return given if isinstance(given, tuple) else (given,)
