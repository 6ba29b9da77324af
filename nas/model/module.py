"""The text of a network, run: what trains is what is exported."""

import linecache

import torch
from torch import nn

from nas.errors import GenomeError
from nas.genome.cost import cost
from nas.genome.graph import Graph
from nas.model.source import source

MAX_BYTES = 64 * 2**30


def module(graph: Graph) -> nn.Module:
    """The network as a torch module, made from its own source, so that a traceback shows the generated line.

    Raises GenomeError when its weights alone would need more than 64 GiB. Weights are torch's default ones;
    initialisation belongs to the recipe.
    """
    counts = cost(graph, auxiliary=True)
    if 4 * counts.params > MAX_BYTES:
        raise GenomeError(f"the network has {counts.params:,} parameters, more than {MAX_BYTES:,} bytes can hold")
    return run(source(graph))


def run(text: str) -> nn.Module:
    """Execute text that `source` wrote, and nothing else, and make its Network."""
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
    """All heads' scores, the classifier first, whatever the network returns."""
    given = network(images)
    return given if isinstance(given, tuple) else (given,)
