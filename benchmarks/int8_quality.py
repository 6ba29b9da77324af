"""Networks in 8-bit integers: our integers beside the runtime's, and accuracy in float, in int8 and after fine-tuning.

    OMP_NUM_THREADS=1 python -m benchmarks.int8_quality [--networks 50] [--trained 5] [--epochs 12] [--qat 3] [--seed 1]

The first networks are those of `benchmarks.device_memory`, with random weights; each is given four images of noise. The
others are those of them for 8x8 images with 2,000 to 20,000 parameters, trained on digits.
"""

import argparse
from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch

from benchmarks.device_memory import random_networks
from benchmarks.micro_runtime import load
from nas.device.conversion import integer_graph
from nas.device.footprint import footprint
from nas.device.int8_module import Int8Module
from nas.device.layer_arrays import layer_arrays
from nas.device.quantize import quantize
from nas.device.reference import run_integers
from nas.errors import DeviceError
from nas.genome import Graph, cost
from nas.model import module
from nas.search.results.export_int8 import CPU, calibration_images
from nas.search.results.fine_tune_int8 import FineTuning
from nas.training.batches import Batches
from nas.training.data import load_data
from nas.training.evaluation import evaluate
from nas.training.recipe import Recipe
from nas.training.train import train

MAX_PARAMS, MIN_PARAMS = 20_000, 2_000
IMAGES = 4


def convertible(seed: int) -> Iterator[tuple[int, Graph]]:
    """Yield those random networks that the runtime has all operations for, each with its seed."""
    for number, graph in random_networks(seed):
        try:
            integer_graph(graph)
        except DeviceError:
            continue
        yield number, graph


def difference(graph: Graph, seed: int) -> int:
    """Return the largest difference between our integers and the runtime's, in steps of the output."""
    torch.manual_seed(seed)
    images = np.random.default_rng(seed).normal(size=(IMAGES, *graph.input))
    network = quantize(integer_graph(graph), layer_arrays(graph, module(graph)), images)
    interpreter, largest = load(network.to_tflite(), footprint(graph).ram), 0
    read = network.quantize_images(images)
    for image, scores in zip(read, run_integers(network, read), strict=True):
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        found = interpreter.get_output(0).astype(int).reshape(scores.shape)
        largest = max(largest, int(np.abs(found - scores).max()))
    return largest


def accuracies(graph: Graph, epochs: int, qat: int, seed: int) -> tuple[float, float, float]:
    """Return the validation accuracy on digits of a trained network in float, in int8 and in int8 fine-tuned."""
    data, recipe, network = load_data("digits"), Recipe(epochs=epochs), module(graph, training=True)
    for _ in train(network, data, recipe, seed):
        pass
    integers, images = integer_graph(graph), calibration_images(data)
    arrays, batches = layer_arrays(graph, network), Batches(data.validation, data, CPU)
    tuned = FineTuning(qat, recipe, seed).apply(integers, arrays, data, images, lambda _: None)
    versions = network, Int8Module(quantize(integers, arrays, images)), Int8Module(tuned)
    first, second, third = (1 - evaluate(each, batches).error for each in versions)
    return first, second, third


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=50)
    parser.add_argument("--trained", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--qat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = [difference(graph, seed) for seed, graph in islice(convertible(options.seed), options.networks)]
    equal = f"{found.count(0)} of {len(found)} networks: outputs equal the runtime's"
    print(f"{equal}; largest difference {max(found, default=0)}", flush=True)
    digits = (
        (seed, graph) for seed, graph in convertible(options.seed)
        if graph.input == (1, 8, 8) and MIN_PARAMS <= cost(graph).params <= MAX_PARAMS
    )  # fmt: skip
    print(f"{'network':>10}{'parameters':>12}{'float':>8}{'int8':>8}{'int8 fine-tuned':>17}")
    for seed, graph in islice(digits, options.trained):
        plain, rounded, tuned = accuracies(graph, options.epochs, options.qat, options.seed)
        print(f"{seed:>10}{cost(graph).params:>12,}{plain:>8.4f}{rounded:>8.4f}{tuned:>17.4f}", flush=True)


if __name__ == "__main__":
    main()
