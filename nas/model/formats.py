"""The network for other runtimes, from one trace of its source: ONNX, and torch's exported program.

Both accept any number of images. A .pt2 file can run code when it is loaded, so load only those from a trusted source.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import nn

from nas.errors import ExperimentError, ExportError
from nas.files import atomic_file, atomic_write
from nas.genome.graph import Shape

Format = Literal["source", "onnx", "pt2", "tflite"]
FORMATS: tuple[Format, ...] = ("source", "onnx", "pt2")
"""Those that compute what the network computes; tflite is another network, in 8-bit integers, and asked for by name."""
FILES: dict[Format, str] = {
    "source": "net.py", "onnx": "network.onnx", "pt2": "network.pt2", "tflite": "network.tflite",
}  # fmt: skip
NEEDED: dict[Format, tuple[str, ...]] = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "tflite": ("flatbuffers",)}
OPSETS, OPSET = range(18, 24), 20  # of ONNX: what torch's exporter writes by itself, and the default
EXAMPLE = 2  # images in the trace: from one image the exporter would conclude that the batch size is always one


def check_formats(formats: tuple[Format, ...], opset: int = OPSET) -> None:
    """Raise ExportError for a package that is not installed, ExperimentError for an opset that cannot be written."""
    for name in formats:
        if missing := [package for package in NEEDED.get(name, ()) if find_spec(package) is None]:
            raise ExportError(f"format {name} needs {', '.join(missing)}: pip install 'nas-convnets[{name}]'")
    if opset not in OPSETS:
        raise ExperimentError(f"opset {opset} cannot be written; torch's exporter writes {OPSETS[0]} to {OPSETS[-1]}")


def write_formats(
    network: nn.Module, folder: Path, shape: Shape, formats: tuple[Format, ...], opset: int = OPSET,
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> None:  # fmt: skip
    """Write those of network.onnx and network.pt2 that are in `formats`, and put the network in evaluation mode.

    `shape` is the shape of one image, `opset` and `metadata` those of ONNX. Raises ExportError when
    the exporter fails to write that opset, and OSError when a file cannot be written.
    """
    if not {"onnx", "pt2"} & set(formats):
        return
    with _quiet():
        program = trace(network, shape)
        if "pt2" in formats:
            with atomic_file(folder / FILES["pt2"]) as file:
                torch.export.save(program, file)
        if "onnx" in formats:
            model: Any = torch.onnx.export(
                program, dynamo=True, verbose=False, input_names=["images"], output_names=["scores"],
                opset_version=opset,
            )  # fmt: skip
            written = model.model.opset_imports[""]
            if written != opset:
                raise ExportError(f"torch's exporter wrote opset {written}, not {opset}; choose another with --opset")
            proto = model.model_proto
            _name_batch(proto)
            for name, value in metadata.items():
                proto.metadata_props.add(key=name, value=value)
            atomic_write(folder / FILES["onnx"], proto.SerializeToString())


def _name_batch(proto: Any) -> None:
    """Call the axis of images "batch" wherever the exporter gave it a symbol of its own."""
    graph = proto.graph
    symbol = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*graph.input, *graph.output, *graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param == symbol:
                axis.dim_param = "batch"


def trace(network: nn.Module, shape: Shape) -> torch.export.ExportedProgram:
    """Return the network at evaluation as a graph of torch's operations, for any batch size."""
    images = torch.zeros(EXAMPLE, *shape)
    return torch.export.export(
        network.cpu().eval(), (images,), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's warnings: they are about its internals and operations that our networks do not use."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
