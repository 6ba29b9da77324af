"""Export a network: readable source, weights, genome, card and other formats; then check that all formats agree.

The check runs in a clean process that can import torch and safetensors but not this toolkit.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import nn

from nas.errors import ExperimentError
from nas.files import atomic_write
from nas.genome.genome_json import to_json
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.model.card import model_card
from nas.model.fold import fold_network
from nas.model.formats import FILES, OPSET, Format, check_formats, write_formats
from nas.model.module import run_source
from nas.model.parity import TOLERANCE, Parity, parity
from nas.model.predict import MARK, Preprocessing
from nas.model.source import source

CARD = "README.md"  # model hubs show it
FORMER_CARD = "card.md"  # of earlier versions, the same text
EXPORTED = ("genome.json", "weights.safetensors", *FILES.values(), "predict.py", "labels.json", CARD)
"""What an export may write: the file by which its folder is known first, what says that it is whole last."""


@dataclass(frozen=True)
class ExportResult:
    """The folder of the files, and the difference of each format's logits from the network's, by batch size."""

    folder: Path
    parity: Parity

    @property
    def max_difference(self) -> float:
        """Return the largest difference of any format."""
        return max(value for row in self.parity.values() for value in row.values())

    @property
    def agrees(self) -> bool:
        """Return whether every difference is within TOLERANCE."""
        return self.max_difference <= TOLERANCE


def check_folder(folder: Path) -> None:
    """Raise ExperimentError when files would be lost that are not from an earlier export."""
    existing = [
        name
        for name in ("net.py", "weights.safetensors", "predict.py", "labels.json", CARD)
        if (folder / name).exists()
    ]
    if (folder / "genome.json").is_file():
        script = folder / "predict.py"  # exports of earlier versions had neither it nor labels.json
        is_ours = script.is_file() and script.read_bytes().startswith(MARK.encode())
        existing = [] if is_ours else [name for name in existing if name in {"predict.py", "labels.json"}]
    if existing:
        raise ExperimentError(
            f"{folder} has a {existing[0]} that is not from an export; choose another folder with --out"
        )


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the state dict as safetensors, with the order of its names, which the format does not keep.

    Raises OSError, which leaves an earlier file unchanged.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    atomic_write(path, save(tensors, {"order": json.dumps(list(tensors))}))


def load_weights(network: nn.Module, path: Path) -> None:
    """Load weights from safetensors, a format of plain numbers that cannot run code.

    Where blocks of the network are written out in layers, its tensors have other names: they are loaded in order.
    Raises RuntimeError when they do not fit.
    """
    tensors, state = load_file(path), network.state_dict()
    if tensors.keys() != state.keys():
        order = _order(path)
        ours = [(name.rpartition(".")[2], tensor.shape) for name, tensor in state.items()]
        theirs = [(name.rpartition(".")[2], tensors[name].shape) for name in order if name in tensors]
        if ours == theirs and len(order) == len(tensors):
            tensors = dict(zip(state, [tensors[name] for name in order], strict=True))
    network.load_state_dict(tensors)


def _order(path: Path) -> list[str]:
    """Return the names of a file's tensors in order; empty where that is not written."""
    with safe_open(path, "pt") as file:
        text = (file.metadata() or {}).get("order", "")
    with suppress(ValueError, RecursionError):
        if isinstance(order := json.loads(text), list):
            return [str(name) for name in order]
    return []


def export_network(
    graph: Graph, network: nn.Module, folder: Path, task: Task, story: str, facts: dict[str, str],
    formats: tuple[Format, ...] = ("source",), opset: int = OPSET, preprocessing: Preprocessing | None = None,
    tflite: bytes | None = None,
) -> ExportResult:  # fmt: skip
    """Write net.py, weights.safetensors, genome.json and the card into `folder`, and check them.

    Of a network in the form that trains, what is written is folded, and compared with the network as it is given.
    An earlier export in the folder stays as it is until all files are written and checked. `story` becomes the
    docstring of net.py; `facts` are rows of the card; `formats` may add network.onnx, in the version `opset` of
    its operators, and network.pt2; `preprocessing` adds predict.py and labels.json; `tflite` is the content of
    network.tflite, which is not compared with the network.
    A difference beyond TOLERANCE is reported in the result. Raises ExperimentError when
    a file that is not from an export would be lost or the opset cannot be written, ExportError when a format's package
    is missing or the clean process cannot run a file, and OSError when a file cannot be written.
    """
    check_formats(formats, opset)
    check_folder(folder)
    text, exported = source(graph, story), fold_network(graph, network)
    if exported is not network:
        facts = facts | {"Folded": "branches that trained in place of one layer; parity is with the trained network"}
    if "onnx" in formats:
        facts = facts | {"ONNX opset": str(opset)}
    with _replacing_export(folder) as staging:
        atomic_write(staging / "net.py", text)
        save_weights(exported, staging / "weights.safetensors")
        atomic_write(staging / "genome.json", to_json(graph))
        write_formats(exported, staging, graph.input, formats, opset, preprocessing.metadata() if preprocessing else {})
        if tflite is not None:
            atomic_write(staging / FILES["tflite"], tflite)
        if preprocessing:
            atomic_write(staging / "predict.py", preprocessing.script())
            atomic_write(staging / "labels.json", preprocessing.labels_json())
        checked: tuple[Format, ...] = ("source", *(name for name in ("onnx", "pt2") if name in formats))
        result = ExportResult(folder, parity(network, staging, graph.input, checked))
        card = model_card(graph, task, facts, result.parity, preprocessing is not None, tflite is not None)
        atomic_write(staging / CARD, card)
        run_source(text)  # the text with its docstring must run too
    return result


@contextmanager
def _replacing_export(folder: Path) -> Iterator[Path]:
    """Yield an empty folder whose files, when the block ends well, replace all those of an earlier export in `folder`.

    The earlier ones are removed first, so that whatever happens no new file lies next to an old one.
    """
    is_new, staging = not folder.exists(), folder / f".export.{os.getpid()}.part"
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".export.*.part"):  # by an export that was killed
        shutil.rmtree(left)
    try:
        staging.mkdir()
        yield staging
        card, former = folder / CARD, folder / FORMER_CARD
        if card.is_file() and former.is_file() and card.read_bytes() == former.read_bytes():
            former.unlink()
        for name in reversed(EXPORTED):
            (folder / name).unlink(missing_ok=True)
        for name in EXPORTED:
            if (staging / name).exists():
                (staging / name).replace(folder / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if is_new:
            with suppress(OSError):
                folder.rmdir()  # only if it is empty
