"""The int8 .tflite file of a network for measuring only: latency depends on neither weights nor ranges."""

from importlib.util import find_spec

import numpy as np

from nas.device.conversion import integer_graph
from nas.device.layer_arrays import layer_arrays
from nas.device.quantize import quantize
from nas.errors import LatencyError
from nas.genome.graph import Graph
from nas.model.module import module

IMAGES = 2  # of noise, which give the ranges


def int8_bytes(graph: Graph) -> bytes:
    """Return the network in 8-bit integers as the bytes of a .tflite file, with random weights.

    Raises DeviceError where the runtime lacks an operation, and LatencyError without the package flatbuffers.
    """
    if find_spec("flatbuffers") is None:
        raise LatencyError('a .tflite file needs flatbuffers: pip install "nas-convnets[tflite]"')
    integers = integer_graph(graph)
    images = np.random.default_rng(0).normal(size=(IMAGES, *graph.input))
    return quantize(integers, layer_arrays(graph.main, module(graph.main)), images).to_tflite()
