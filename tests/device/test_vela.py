"""The provider of Arm Ethos-U: the compiler's own summary of a small int8 network, and faults of it."""

import csv
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.device.latency.settings import LatencySettings
from nas.device.latency.vela import Vela, summary_ms
from nas.errors import LatencyError
from nas.genome import Graph, Task
from nas.genome.baselines import baseline
from nas.genome.layers import Conv

SETTINGS = LatencySettings(provider="vela")


def graph(kernel: int = 3) -> Graph:
    return Graph.of(Conv(8, kernel)(Task("made", (4, 8, 8), 8).image()))


def write_conv(graph: Graph, file: Path, stride: int = 1) -> None:
    """Write a network of one convolution as an int8 .tflite file, NHWC, with the schema that vela ships."""
    import flatbuffers
    from ethosu.vela.tflite import (
        BuiltinOperator,
        BuiltinOptions,
        Conv2DOptions,
        Model,
        Operator,
        OperatorCode,
        SubGraph,
        TensorType,
    )

    conv, (channels, *_) = graph.nodes[1].op, graph.input
    assert isinstance(conv, Conv)
    assert isinstance(conv.kernel, int)
    builder = flatbuffers.Builder(0)
    weights = np.ones((conv.width, conv.kernel, conv.kernel, channels), np.int8)
    arrays = [None, weights, np.zeros(conv.width, np.int32), None]
    shapes = [(1, 8, 8, channels), weights.shape, (conv.width,), (1, *graph.nodes[1].shape[1:], conv.width)]
    kinds = [TensorType.TensorType.INT8] * 2 + [TensorType.TensorType.INT32, TensorType.TensorType.INT8]
    scales = [0.1, 0.1, 0.01, 1.0]
    buffers = [_buffer(builder, array) for array in (None, *arrays)]
    tensors = [_tensor(builder, i, *each) for i, each in enumerate(zip(shapes, kinds, scales, strict=True))]
    Conv2DOptions.Start(builder)
    Conv2DOptions.AddStrideW(builder, stride)
    Conv2DOptions.AddStrideH(builder, stride)
    options = Conv2DOptions.End(builder)
    inputs, outputs = (builder.CreateNumpyVector(np.array(each, np.int32)) for each in ([0, 1, 2], [3]))
    Operator.Start(builder)
    Operator.AddInputs(builder, inputs)
    Operator.AddOutputs(builder, outputs)
    Operator.AddBuiltinOptionsType(builder, BuiltinOptions.BuiltinOptions.Conv2DOptions)
    Operator.AddBuiltinOptions(builder, options)
    operators = _vector(builder, [Operator.End(builder)])
    tables = _vector(builder, tensors)
    entry, leaves = (builder.CreateNumpyVector(np.array(each, np.int32)) for each in ([0], [3]))
    SubGraph.Start(builder)
    SubGraph.AddTensors(builder, tables)
    SubGraph.AddInputs(builder, entry)
    SubGraph.AddOutputs(builder, leaves)
    SubGraph.AddOperators(builder, operators)
    subgraphs = _vector(builder, [SubGraph.End(builder)])
    OperatorCode.Start(builder)
    OperatorCode.AddDeprecatedBuiltinCode(builder, BuiltinOperator.BuiltinOperator.CONV_2D)
    OperatorCode.AddBuiltinCode(builder, BuiltinOperator.BuiltinOperator.CONV_2D)
    OperatorCode.AddVersion(builder, 3)
    codes, stored = _vector(builder, [OperatorCode.End(builder)]), _vector(builder, buffers)
    Model.Start(builder)
    Model.AddVersion(builder, 3)
    Model.AddOperatorCodes(builder, codes)
    Model.AddSubgraphs(builder, subgraphs)
    Model.AddBuffers(builder, stored)
    builder.Finish(Model.End(builder), b"TFL3")
    file.write_bytes(builder.Output())


def _vector(builder: Any, offsets: list[int]) -> Any:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _buffer(builder: Any, array: Any) -> Any:
    from ethosu.vela.tflite import Buffer

    data = None if array is None else builder.CreateNumpyVector(np.frombuffer(array.tobytes(), np.uint8))
    Buffer.Start(builder)
    if data is not None:
        Buffer.AddData(builder, data)
    return Buffer.End(builder)


def _tensor(builder: Any, number: int, shape: tuple[int, ...], kind: int, scale: float) -> Any:
    from ethosu.vela.tflite import QuantizationParameters, Tensor

    name = builder.CreateString(f"tensor_{number}")
    sides = builder.CreateNumpyVector(np.array(shape, np.int32))
    scales = builder.CreateNumpyVector(np.array([scale], np.float32))
    zeros = builder.CreateNumpyVector(np.array([0], np.int64))
    QuantizationParameters.Start(builder)
    QuantizationParameters.AddScale(builder, scales)
    QuantizationParameters.AddZeroPoint(builder, zeros)
    quantization = QuantizationParameters.End(builder)
    Tensor.Start(builder)
    Tensor.AddShape(builder, sides)
    Tensor.AddType(builder, kind)
    Tensor.AddBuffer(builder, number + 1)
    Tensor.AddName(builder, name)
    Tensor.AddQuantization(builder, quantization)
    return Tensor.End(builder)


def test_cycles_are_the_same_every_time_and_grow_with_the_kernel() -> None:
    pytest.importorskip("ethosu.vela")
    provider = Vela(SETTINGS, write_conv)
    first, again, wider = provider.measure(graph(), graph(), graph(kernel=5))
    assert first == again
    assert 0 < first.median_ms < wider.median_ms
    assert (first.spread_ms, first.repeats, first.outliers) == (0.0, 1, 0)
    assert provider.description().startswith("ethos-u55-128, estimated by ethos-u-vela ")


def test_a_real_network_takes_the_cycles_that_are_known() -> None:
    pytest.importorskip("ethosu.vela")
    pytest.importorskip("flatbuffers")
    (found,) = Vela(SETTINGS).measure(baseline("resnet8"))
    assert found.median_ms == pytest.approx(214_374 / 500e6 * 1e3)  # MLPerf Tiny's network under ethos-u-vela 5.2.0


def test_a_fault_of_the_compiler_is_one_message() -> None:
    pytest.importorskip("ethosu.vela")
    provider = Vela(SETTINGS, lambda _, file: file.write_bytes(b"nothing"))  # type: ignore[arg-type]
    with pytest.raises(LatencyError, match=r"ethosu\.vela .*network\.tflite.*: exit code .*stderr: "):
        provider.measure(graph())


def test_time_on_the_cpu_is_not_left_out() -> None:
    pytest.importorskip("ethosu.vela")
    with pytest.raises(LatencyError, match=r"1 operators of network\.tflite run on the CPU"):
        Vela(SETTINGS, partial(write_conv, stride=7)).measure(graph())


def test_without_the_compiler_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.device.latency.vela.find_spec", lambda _: None)
    with pytest.raises(LatencyError, match=r'pip install "nas-convnets\[vela\]"'):
        Vela(SETTINGS, write_conv)


def test_milliseconds_are_cycles_by_the_clock() -> None:
    with (Path(__file__).parents[1] / "data" / "vela_summary.csv").open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)  # ethos-u-vela 5.2.0 on the network of this file
    assert summary_ms(row) == pytest.approx(1e3 * float(row["inference_time"]), rel=1e-12)
    for broken in ({}, row | {"cycles_total": ""}, row | {"core_clock": "0"}, row | {"cycles_total": "0"}):
        with pytest.raises(LatencyError, match="vela's summary"):
            summary_ms(broken)
