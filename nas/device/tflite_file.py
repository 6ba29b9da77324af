"""The file of a network for TensorFlow Lite's runtimes, written with flatbuffers."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nas.device.file_layout import Fields, NumberVector, lay_out
from nas.device.integer_graph import IntegerGraph
from nas.device.schema import FILE_IDENTIFIER


class FileContents(Protocol):
    """The numbers of a quantized network by tensor: constants, scales (float32) and zero points (int64)."""

    def data(self, tensor: int) -> NDArray[Any]: ...
    def scales(self, tensor: int) -> NDArray[Any]: ...
    def zero_points(self, tensor: int) -> NDArray[Any]: ...


def tflite_bytes(graph: IntegerGraph, contents: FileContents) -> bytes:
    """Return the bytes of the file. It needs the package flatbuffers."""
    sink = _BuilderSink(contents)
    lay_out(graph, sink)
    return bytes(sink.builder.Output())


class _BuilderSink:
    def __init__(self, contents: FileContents) -> None:
        import flatbuffers

        self.builder: Any = flatbuffers.Builder(1 << 16)
        self.contents = contents

    def numbers(self, vector: NumberVector) -> int:
        if vector.kind == "values":
            numbers = np.array(vector.values, f"<i{vector.width}")
        elif vector.kind == "data":
            numbers = self.contents.data(vector.tensor).reshape(-1).view(np.uint8)
        else:
            read = self.contents.scales if vector.kind == "scale" else self.contents.zero_points
            numbers = read(vector.tensor)
        self.builder.Prep(4, numbers.nbytes)
        self.builder.Prep(vector.alignment, numbers.nbytes)
        return int(self.builder.CreateNumpyVector(numbers))

    def places(self, places: Sequence[int]) -> int:
        self.builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self.builder.PrependUOffsetTRelative(place)
        return int(self.builder.EndVector())

    def text(self, text: str) -> int:
        return int(self.builder.CreateString(text))

    def table(self, fields: Fields) -> int:
        self.builder.StartObject(max([field.number for field, _ in fields], default=-1) + 1)
        for field, value in fields:
            if field.default is None:
                self.builder.PrependUOffsetTRelativeSlot(field.number, value, 0)
            elif field.size == 1:
                self.builder.PrependUint8Slot(field.number, value, field.default)
            else:
                self.builder.PrependInt32Slot(field.number, value, field.default)
        return int(self.builder.EndObject())

    def finish(self, root: int) -> None:
        self.builder.Finish(root, FILE_IDENTIFIER)
