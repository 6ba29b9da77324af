"""A network leaves: one readable file, its weights, its genome, its card, and other formats as asked; then proof.

The proof runs in a clean process that can import torch and safetensors but not this toolkit.
"""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save
from torch import nn

from nas.errors import ExperimentError
from nas.genome.genome_json import to_json
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.model import formats as others
from nas.model.card import model_card
from nas.model.formats import Format
from nas.model.module import run
from nas.model.parity import TOLERANCE, Parity, parity
from nas.model.source import source

CARDS = ("card.md", "README.md")  # one text; a hub shows the second


@dataclass(frozen=True)
class Exported:
    """Where the files lie, and how far each format's scores are from the network's, by batch size."""

    folder: Path
    parity: Parity

    @property
    def apart(self) -> float:
        """The largest difference of any format."""
        return max(value for row in self.parity.values() for value in row.values())

    @property
    def agrees(self) -> bool:
        """Whether every score is within TOLERANCE."""
        return self.apart <= TOLERANCE


def _refuse_strange(folder: Path) -> None:
    """Only an earlier export is written over."""
    there = [name for name in ("net.py", "weights.safetensors", *CARDS) if (folder / name).exists()]
    if there and not (folder / "genome.json").is_file():
        raise ExperimentError(f"{folder} has a {there[0]} that is of no export; choose another place with --out")


def save_weights(network: nn.Module, path: Path) -> None:
    """The state dict as safetensors, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(save({name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}))
    part.replace(path)


def load_weights(network: nn.Module, path: Path) -> None:
    """Weights from safetensors: plain numbers, which execute nothing."""
    network.load_state_dict(load_file(path))


def export_network(
    graph: Graph, network: nn.Module, folder: Path, task: Task, story: str, facts: dict[str, str],
    formats: tuple[Format, ...] = ("source",),
) -> Exported:  # fmt: skip
    """Write net.py, weights.safetensors, genome.json and the card into `folder`, and check them.

    `story` becomes the docstring of net.py; `facts` are rows of the card; `formats` may add network.onnx and
    network.pt2. Raises ExperimentError where a file of somebody else's would be lost, ExportError when a format's
    package is missing or the clean process cannot run a file; a difference beyond TOLERANCE is reported in the result.
    """
    others.check(formats)
    _refuse_strange(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = source(graph, story)
    (folder / "net.py").write_text(text, encoding="utf-8")
    save_weights(network, folder / "weights.safetensors")
    (folder / "genome.json").write_text(to_json(graph), encoding="utf-8")
    others.write(network, folder, graph.input, formats)
    checked: tuple[Format, ...] = ("source", *(name for name in formats if name != "source"))
    exported = Exported(folder, parity(network, folder, graph.input, checked))
    for name in CARDS:
        (folder / name).write_text(model_card(graph, task, facts, exported.parity), encoding="utf-8")
    run(text)  # the text itself must stand on its own, docstring included
    return exported
