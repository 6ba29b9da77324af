"""Runtimes of this machine: a network with random weights as a function that infers one image on one thread."""

import io
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch

from nas.device.latency.settings import Runtime
from nas.genome.graph import Graph
from nas.model.module import module

RunOnce = Callable[[], object]
ONNX_PACKAGES = ("onnx", "onnxruntime")


def best_runtime() -> Runtime:
    """Return what "auto" means here: onnxruntime where it is installed, otherwise torch."""
    return "torch" if any(find_spec(name) is None for name in ONNX_PACKAGES) else "onnxruntime"


def torch_runner(graph: Graph) -> RunOnce:
    """Return a function that runs the network in torch on one random image. The caller sets the number of threads."""
    network, images = module(graph.main).eval(), _image(graph)

    def run() -> object:
        with torch.inference_mode():
            return network(images)

    return run


def onnx_runner(graph: Graph) -> RunOnce:
    """Return a function that runs the network in onnxruntime on one random image and one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_bytes(graph), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: _image(graph).numpy()}
    return lambda: session.run(None, feed)


RUNNERS: dict[str, Callable[[Graph], RunOnce]] = {"torch": torch_runner, "onnxruntime": onnx_runner}


def onnx_bytes(graph: Graph) -> bytes:
    """Return the network for one image as ONNX, with random weights, for measuring only.

    Torch's older exporter takes 0.1 s a network and not 3 s as the one of `nas export`, and onnxruntime is as fast with
    either file: medians of 5 networks of the space `mixed` on CIFAR-10's images differ by at most 1.2 %.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated
        export: Any = torch.onnx.export
        export(module(graph.main).eval(), (_image(graph),), file, dynamo=False)
    return file.getvalue()


def _image(graph: Graph) -> torch.Tensor:
    return torch.randn(1, *graph.input, generator=torch.Generator().manual_seed(0))
