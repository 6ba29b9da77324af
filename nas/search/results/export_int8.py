"""A trained network in 8-bit integers, for the export: calibrated on training images, and evaluated as in float."""

from collections.abc import Callable, Iterable, Mapping
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
from nas.search.results.fine_tune_int8 import FineTuning
from nas.search.results.run_data import RunData
from nas.training.batches import Batches
from nas.training.data import Data, Split
from nas.training.evaluation import Evaluation, evaluate

MAX_LOST = 0.01  # of accuracy: a point, from which fine-tuning is offered
CALIBRATION = 256  # training images whose values give the scales
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Int8Export:
    """The file, and the rows of the card. lost: validation accuracy that calibration alone loses; 0 if not known."""

    file: bytes
    rows: Mapping[str, str]
    lost: float = 0.0

    @property
    def loses_much(self) -> bool:
        """Return whether more is lost than MAX_LOST."""
        return self.lost > MAX_LOST


def check_int8(graph: Graph, images: RunData) -> None:
    """Raise DeviceError where the runtime lacks an operation, DataError without training images to calibrate on."""
    integer_graph(graph)
    images.require_data()


def export_int8(
    graph: Graph, network: nn.Module, images: RunData, validation: Evaluation | None, test: Evaluation | None,
    tuning: FineTuning | None = None, info: Callable[[str], None] = lambda _: None,
) -> Int8Export:  # fmt: skip
    """Return a trained network in integers, fine-tuned if asked for.

    validation, test: how it does in float, as far as that is known. The test split is read only where it was read for
    the float network. Raises DeviceError where the runtime lacks an operation, DataError without training images, and
    TrainingError when fine-tuning diverges.
    """
    data = images.require_data()
    calibration, arrays = calibration_images(data), layer_arrays(graph, network)
    versions = {"int8": quantize(integer_graph(graph), arrays, calibration)}
    if tuning:
        versions["int8 fine-tuned"] = tuning.apply(integer_graph(graph), arrays, data, calibration, info)
    integers = list(versions.values())[-1]
    file, counted = integers.to_tflite(), footprint(graph)
    rows = {
        "8-bit integers": f"network.tflite, {len(file):,} bytes; under TensorFlow Lite Micro {counted.ram:,} bytes of "
        f"RAM, of which {counted.activation_ram:,} are activations",
        "Calibration": f"{len(calibration)} training images",
        **({"Fine-tuning of network.tflite": str(tuning)} if tuning else {}),
        "Input of network.tflite": _input(integers),
    }
    lost = 0.0
    for part, split, known in (("Validation", data.validation, validation), ("Test", images.test, test)):
        if split is not None and known is not None:
            batches = Batches(split, data, CPU)
            errors = {"float": known.error} | {
                name: evaluate(Int8Module(each), batches).error for name, each in versions.items()
            }
            rows[f"{part} accuracy, {_listed(errors)}"] = _listed(f"{1 - error:.4f}" for error in errors.values())
            lost = errors["int8"] - known.error if part == "Validation" else lost
    return Int8Export(file, rows, lost)


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}"


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
