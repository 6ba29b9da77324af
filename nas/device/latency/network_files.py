"""The file of a network that a provider is given: how to write each kind of them."""

from collections.abc import Callable
from pathlib import Path

from nas.errors import LatencyError
from nas.genome.graph import Graph

FileWriter = Callable[[Graph, Path], None]
"""Writes a network with random weights to a path. It raises LatencyError, or DeviceError, where it cannot."""


def write_onnx(graph: Graph, file: Path) -> None:
    """Write the network for one float32 image as ONNX."""
    from nas.device.latency.runners import onnx_bytes

    file.write_bytes(onnx_bytes(graph))


def write_tflite(graph: Graph, file: Path) -> None:
    """Write the network in 8-bit integers for TensorFlow Lite Micro, LiteRT, and compilers that read their files."""
    from nas.device.latency.int8_file import int8_bytes

    file.write_bytes(int8_bytes(graph))


FILE_WRITERS: dict[str, FileWriter] = {"onnx": write_onnx, "tflite": write_tflite}
"""By suffix of the file."""


def file_writer(suffix: str) -> FileWriter:
    """Return how a file of this suffix is written. Raises LatencyError where nothing can write it."""
    if suffix not in FILE_WRITERS:
        raise LatencyError(f"no file .{suffix} can be written here; there are: {', '.join(FILE_WRITERS)}")
    return FILE_WRITERS[suffix]
