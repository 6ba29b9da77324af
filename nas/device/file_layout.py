"""The order in which a TensorFlow Lite file is written, and its length without writing it.

`lay_out` writes a graph to a sink: flatbuffers' builder, or a counter that only adds up bytes. Equal shapes and lists
of integers are written once, and so are zero points of weights. No names are written but those of the image and the
scores: the length depends only on what the network computes.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from nas.device.integer_graph import IntegerGraph, IntegerOp, IntegerTensor
from nas.device.schema import (
    ACTIVATIONS,
    OPERATORS,
    OPTIONS,
    TABLES,
    TENSOR_TYPES,
    VERSION,
    SchemaField,
)  # fmt: skip

DATA_ALIGNMENT = 16


class NumberVector(NamedTuple):
    """A list of numbers in a file: their count and the bytes of each.

    kind: "data", "scale" or "zero_point" of a tensor; "values" of one whose values are given.
    """

    kind: str
    length: int
    width: int
    tensor: int = -1
    values: tuple[int, ...] = ()

    @property
    def alignment(self) -> int:
        """Return the alignment of the first number."""
        return DATA_ALIGNMENT if self.kind == "data" else self.width


Fields = tuple[tuple[SchemaField, int], ...]
"""The fields of a table that are written, in order, each with its number or the place of what it refers to."""


class FileSink(Protocol):
    """What a file is written to, from its end to its beginning. Methods return the place of what they wrote."""

    def numbers(self, vector: NumberVector) -> int: ...
    def places(self, places: Sequence[int]) -> int: ...
    def text(self, text: str) -> int: ...
    def table(self, fields: Fields) -> int: ...
    def finish(self, root: int) -> None: ...


class ByteCounter:
    """A sink that counts the bytes that flatbuffers' builder would write."""

    def __init__(self) -> None:
        self.length = 0
        self.known: set[tuple[int, ...]] = set()  # layouts of tables, each written once

    def _add(self, size: int, alignment: int = 4) -> int:
        """Count a list of so many bytes, its length in front."""
        end = self.length + size
        end += -end % 4
        self.length = end + -end % alignment + 4
        return self.length

    def numbers(self, vector: NumberVector) -> int:
        return self._add(vector.length * vector.width, vector.alignment)

    def places(self, places: Sequence[int]) -> int:
        return self._add(4 * len(places))

    def text(self, text: str) -> int:
        return self._add(len(text.encode()) + 1)

    def table(self, fields: Fields) -> int:
        size, layout = _table_layout(tuple([field for field, _ in fields]), self.length % 4)
        self.length = place = self.length + size
        if layout not in self.known:
            self.known.add(layout)
            self.length += 2 * len(layout) + 2
        return place

    def finish(self, root: int) -> None:
        self.length += -(self.length + 8) % DATA_ALIGNMENT + 8


@lru_cache(4096)
def _table_layout(fields: tuple[SchemaField, ...], position: int) -> tuple[int, tuple[int, ...]]:
    """Return the bytes of a table without its list of fields, and that list: where each field is, and the size.

    position: of its end, modulo 4.
    """
    end, places = position, dict[int, int]()
    for number, size, _ in fields:
        end += -end % size + size
        places[number] = end
    end += -end % 4 + 4
    layout = [end - places[number] if number in places else 0 for number in range(max(places, default=-1), -1, -1)]
    return end - position, (*layout, end - position)


def file_size(graph: IntegerGraph) -> int:
    """Return the bytes of the TensorFlow Lite file of a graph, whatever its weights."""
    counter = ByteCounter()
    lay_out(graph, counter)
    return counter.length


def lay_out(graph: IntegerGraph, sink: FileSink) -> None:
    """Write a graph to a sink: data of constants, tensors, operations, then the tables that refer to them."""
    _FileLayout(graph, sink).write()


class _FileLayout:
    def __init__(self, graph: IntegerGraph, sink: FileSink) -> None:
        self.graph, self.sink = graph, sink
        self.written: dict[NumberVector, int] = {}

    def write(self) -> None:
        constants = [i for i, tensor in enumerate(self.graph.tensors) if tensor.content is not None]
        data = [self._numbers("data", self.graph.tensors[i].size, 1, i) for i in constants]
        buffers = [self._table("Buffer"), *[self._table("Buffer", data=place) for place in data]]
        kept = self.sink.places(buffers)
        numbers = {tensor: number for number, tensor in enumerate(constants, 1)}
        tensors = [self._tensor(i, tensor, numbers.get(i, 0)) for i, tensor in enumerate(self.graph.tensors)]
        codes = list(dict.fromkeys(op.code for op in self.graph.ops))
        operators = [self._operator(op, codes.index(op.code)) for op in self.graph.ops]
        subgraph = self._table(
            "SubGraph",
            tensors=self.sink.places(tensors),
            inputs=self._values(0),
            outputs=self._values(self.graph.output),
            operators=self.sink.places(operators),
        )
        subgraphs = self.sink.places([subgraph])
        kinds = self.sink.places([self._code(code) for code in codes])
        self.sink.finish(self._table("Model", version=VERSION, operator_codes=kinds, subgraphs=subgraphs, buffers=kept))

    def _tensor(self, index: int, tensor: IntegerTensor, buffer: int) -> int:
        fields = {"shape": self._values(*tensor.shape), "buffer": buffer, "type": TENSOR_TYPES[tensor.type]}
        if name := {0: "image", self.graph.output: "scores"}.get(index):
            fields["name"] = self.sink.text(name)
        if tensor.scales:
            fields["quantization"] = self._table(
                "QuantizationParameters",
                scale=self._numbers("scale", tensor.scales, 4, index),
                zero_point=self._zero_points(index, tensor),
                quantized_dimension=tensor.axis,
            )
        return self._table("Tensor", **fields)

    def _zero_points(self, index: int, tensor: IntegerTensor) -> int:
        if tensor.content in ("weights", "bias"):
            return self._numbers("values", tensor.scales, 8, values=(0,) * tensor.scales)
        return self._numbers("zero_point", tensor.scales, 8, index)

    def _operator(self, op: IntegerOp, code: int) -> int:
        fields = {"inputs": self._values(*op.inputs), "outputs": self._values(op.output), "opcode_index": code}
        if options := OPERATORS[op.code].options:
            fused = {"fused_activation_function": ACTIVATIONS[op.activation]} if op.activation != "NONE" else {}
            fields["builtin_options_type"] = OPTIONS[options]
            fields["builtin_options"] = self._table(options, **dict(op.options), **fused)
        return self._table("Operator", **fields)

    def _code(self, name: str) -> int:
        code, version, _ = OPERATORS[name]
        return self._table("OperatorCode", deprecated_builtin_code=min(code, 127), version=version, builtin_code=code)

    def _values(self, *values: int) -> int:
        return self._numbers("values", len(values), 4, values=values)

    def _numbers(self, kind: str, count: int, width: int, tensor: int = -1, values: tuple[int, ...] = ()) -> int:
        vector = NumberVector(kind, count, width, tensor, values)
        if vector not in self.written:
            self.written[vector] = self.sink.numbers(vector)
        return self.written[vector]

    def _table(self, name: str, /, **given: int) -> int:
        known = TABLES[name]
        return self.sink.table(
            tuple([(known[key], given[key]) for key in _order(name, tuple(given)) if given[key] != known[key].default])
        )


@lru_cache(4096)
def _order(table: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return fields in the order in which they are written."""
    return tuple([field for field in TABLES[table] if field in fields])
