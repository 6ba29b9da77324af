"""Networks written in several formats, for comparison in a clean process."""

from collections.abc import Sequence
from pathlib import Path

import torch

from nas.genome import Graph
from nas.model import formats, module, source
from nas.model.export import save_weights
from nas.model.formats import Format
from nas.model.parity import Comparison, parities


def exported(graph: Graph, folder: Path, wanted: tuple[Format, ...]) -> Comparison:
    """A network with random weights and its files."""
    folder.mkdir()
    torch.manual_seed(0)
    network = module(graph)
    (folder / "net.py").write_text(source(graph, f"Story of {folder.name}. " * 12), encoding="utf-8")
    save_weights(network, folder / "weights.safetensors")
    formats.write_formats(network, folder, graph.input, wanted)
    return network.eval(), folder, graph.input, wanted


def furthest(jobs: Sequence[Comparison]) -> float:
    """The largest difference of a logit."""
    return max(value for found in parities(jobs) for row in found.values() for value in row.values())
