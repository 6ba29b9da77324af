"""A trained network in 8-bit integers, for the export: calibrated on training images, and evaluated as in float."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from nas.device.conversion import integer_graph
from nas.device.footprint import footprint
from nas.device.int8_module import Int8Module
from nas.device.layer_arrays import layer_arrays
from nas.device.quantize import QuantizedNetwork, quantize
from nas.genome.graph import Graph
from nas.search.results.run_data import RunData
from nas.training.batches import Batches
from nas.training.data import Data, Split
from nas.training.evaluation import Evaluation, evaluate

CALIBRATION = 256  # training images whose values give the scales
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Int8Export:
    """The file, and the rows of the card."""

    file: bytes
    rows: Mapping[str, str]


def check_int8(graph: Graph, images: RunData) -> None:
    """Raise DeviceError where the runtime lacks an operation, DataError without training images to calibrate on."""
    integer_graph(graph)
    images.require_data()


def export_int8(
    graph: Graph, network: nn.Module, images: RunData, validation: Evaluation | None, test: Evaluation | None
) -> Int8Export:
    """Return a trained network in integers. validation, test: how it does in float, as far as that is known.

    The test split is read only where it was read for the float network. Raises DeviceError where the runtime lacks an
    operation, and DataError without training images.
    """
    data = images.require_data()
    integers = quantize(integer_graph(graph), layer_arrays(graph, network), calibration_images(data))
    file, counted = integers.to_tflite(), footprint(graph)
    rows = {
        "8-bit integers": f"network.tflite, {len(file):,} bytes; under TensorFlow Lite Micro {counted.ram:,} bytes of "
        f"RAM, of which {counted.activation_ram:,} are activations",
        "Calibration": f"{min(CALIBRATION, len(data.train.labels))} training images",
        "Input of network.tflite": _input(integers),
    }
    for part, split, float_found in (("Validation", data.validation, validation), ("Test", images.test, test)):
        if split is not None and float_found is not None:
            found = evaluate(Int8Module(integers), Batches(split, data, CPU))
            rows[f"{part} accuracy, float and int8"] = f"{1 - float_found.error:.4f} and {1 - found.error:.4f}"
    return Int8Export(file, rows)


def calibration_images(data: Data) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return training images from all over the split, as the network is given them, without augmentation."""
    count = len(data.train.labels)
    chosen = np.unique(np.linspace(0, count - 1, min(CALIBRATION, count)).round().astype(int))
    split = Split(data.train.images[chosen], data.train.labels[chosen])
    batches = [images.double().numpy() for images, _ in Batches(split, data, CPU).in_order()]
    return np.concatenate(batches)


def _input(integers: QuantizedNetwork) -> str:
    shape = " x ".join(map(str, integers.graph.tensors[0].shape[1:]))
    scale, zero_point = float(integers.scales(0)[0]), int(integers.zero_points(0)[0])
    return f"int8, {shape}, channels last: round(input / {scale:.6g}) + {zero_point}, cut to -128 to 127"
