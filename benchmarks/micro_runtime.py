"""TensorFlow Lite Micro beside our counts: what its interpreter says that it allocates. Needs tflite-micro."""

import os
import re
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.device.integer_graph import FIXED_SCALE, IntegerGraph


@dataclass(frozen=True)
class Arena:
    """Bytes that the interpreter has allocated: head for activations, tail for its own structures."""

    head: int
    tail: int


def load(file: bytes, arena: int = 16_000_000) -> Any:
    """Return the interpreter of a file with an arena of so many bytes. Raises RuntimeError when it is too small."""
    from tflite_micro.python.tflite_micro import runtime

    return runtime.Interpreter.from_bytes(file, arena_size=arena)


def arena_of(interpreter: Any) -> Arena:
    """Return what an interpreter has allocated; it prints that to stderr only."""
    with tempfile.TemporaryFile() as log:
        stderr = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            interpreter.print_allocations()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        log.seek(0)
        text = log.read().decode()
    head, tail = (int(size) for size in re.findall(r"Arena allocation (?:head|tail) (\d+)", text))
    return Arena(head, tail)


class MadeUpNumbers:
    """Numbers for a file of which only the size and the memory matter: one scale for all, random weights."""

    def __init__(self, graph: IntegerGraph, seed: int = 0) -> None:
        self.graph, self.rng = graph, np.random.default_rng(seed)
        self.fixed = {op.output: FIXED_SCALE[op.code] for op in graph.ops if op.code in FIXED_SCALE}

    def data(self, tensor: int) -> NDArray[Any]:
        """Return the numbers of a constant."""
        _, kind, content, *_ = self.graph.tensors[tensor]
        if isinstance(content, tuple):
            return np.array(content, np.int8 if kind == "INT8" else np.int32)
        size = self.graph.tensors[tensor].size
        return self.rng.integers(-127, 128, size).astype(np.int8)

    def scales(self, tensor: int) -> NDArray[np.float32]:
        """Return the scales of a tensor; that of a bias is the product of the others."""
        known = self.graph.tensors[tensor]
        value = 0.01 if known.content == "bias" else self.fixed.get(tensor, (0.1, 0))[0]
        return np.full(known.scales, value, np.float32)

    def zero_points(self, tensor: int) -> NDArray[np.int64]:
        """Return the zero points of a tensor."""
        return np.full(self.graph.tensors[tensor].scales, self.fixed.get(tensor, (0.1, 0))[1], np.int64)
