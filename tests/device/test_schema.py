"""Our tables against the schema's own package, and files against its readers."""

import re
from typing import Any

import pytest
from device.trained import convertible_network, quantized

from nas.device.schema import ACTIVATIONS, OPERATORS, OPTIONS, TABLES, TENSOR_TYPES

tflite = pytest.importorskip("tflite")


class Recorder:
    """A builder that keeps what a function of the schema writes: the method, number and default of a field."""

    def __init__(self) -> None:
        self.wrote: tuple[str, int, int] = ("", -1, -1)

    def __getattr__(self, name: str) -> Any:
        def write(number: int, _value: int, default: int) -> None:
            self.wrote = name, number, int(default)

        return write


def camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


@pytest.mark.parametrize("table", TABLES)
def test_fields_have_the_numbers_of_the_schema(table: str) -> None:
    for name, field in TABLES[table].items():
        recorder = Recorder()
        getattr(tflite, f"{table}Add{camel(name)}")(recorder, 1)
        wrote, number, default = recorder.wrote
        assert number == field.number
        is_offset = "UOffset" in wrote
        assert (field.default is None) == is_offset
        assert is_offset or field.default == default
        bits = re.search(r"\d+", wrote)
        assert field.size == (4 if is_offset else int(bits[0]) // 8 if bits else 1)  # a bool has one byte


def test_codes_are_those_of_the_schema() -> None:
    assert {name: kind.code for name, kind in OPERATORS.items()} == {
        name: getattr(tflite.BuiltinOperator, name) for name in OPERATORS
    }
    assert {name: getattr(tflite.BuiltinOptions, name) for name in OPTIONS} == OPTIONS
    assert {name: getattr(tflite.ActivationFunctionType, name) for name in ACTIVATIONS} == ACTIVATIONS
    assert {name: getattr(tflite.TensorType, name) for name in TENSOR_TYPES} == TENSOR_TYPES


@pytest.mark.parametrize("seed", range(10))
def test_a_file_is_read_as_it_was_written(seed: int) -> None:
    network = quantized(convertible_network(seed), seed)
    model = tflite.Model.GetRootAsModel(network.to_tflite(), 0)
    graph, read = network.graph, model.Subgraphs(0)
    assert (model.Version(), read.Inputs(0), read.Outputs(0)) == (3, 0, graph.output)
    assert read.OperatorsLength() == len(graph.ops)
    for i, op in enumerate(graph.ops):
        found = read.Operators(i)
        assert model.OperatorCodes(found.OpcodeIndex()).BuiltinCode() == OPERATORS[op.code].code
        assert found.InputsAsNumpy().tolist() == list(op.inputs)
        assert found.Outputs(0) == op.output
    for i, tensor in enumerate(graph.tensors):
        found = read.Tensors(i)
        assert (tuple(found.ShapeAsNumpy()), found.Type()) == (tensor.shape, TENSOR_TYPES[tensor.type])
        data = model.Buffers(found.Buffer())
        assert data.DataLength() == (0 if tensor.content is None else tensor.size)
        if tensor.content is not None:
            assert data.DataAsNumpy().tobytes() == network.data(i).tobytes()
        if tensor.scales:
            quantization = found.Quantization()
            assert quantization.ScaleAsNumpy().tolist() == network.scales(i).tolist()
            assert quantization.ZeroPointAsNumpy().tolist() == network.zero_points(i).tolist()
            assert quantization.QuantizedDimension() == tensor.axis
