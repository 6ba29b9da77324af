"""The tables of TensorFlow Lite's schema (schema.fbs, version 3) that our files have.

Numbers of fields and codes of operations never change in a schema of flatbuffers. A test compares them with the
schema's own package.
"""

from typing import NamedTuple


class SchemaField(NamedTuple):
    """A field of a table. size: bytes of a number, 4 of an offset. default: the number that is not written."""

    number: int
    size: int = 4
    default: int | None = None


def _numbers(**fields: tuple[int, int, int]) -> dict[str, SchemaField]:
    return {name: SchemaField(*spec) for name, spec in fields.items()}


def _offsets(**numbers: int) -> dict[str, SchemaField]:
    return {name: SchemaField(number) for name, number in numbers.items()}


FILE_IDENTIFIER = b"TFL3"
VERSION = 3
TABLES: dict[str, dict[str, SchemaField]] = {
    "Model": _numbers(version=(0, 4, 0)) | _offsets(operator_codes=1, subgraphs=2, buffers=4),
    "OperatorCode": _numbers(deprecated_builtin_code=(0, 1, 0), version=(2, 4, 1), builtin_code=(3, 4, 0)),
    "SubGraph": _offsets(tensors=0, inputs=1, outputs=2, operators=3),
    "Buffer": _offsets(data=0),
    "Tensor": _offsets(shape=0, name=3, quantization=4) | _numbers(buffer=(2, 4, 0), type=(1, 1, 0)),
    "QuantizationParameters": _offsets(scale=2, zero_point=3) | _numbers(quantized_dimension=(6, 4, 0)),
    "Operator": _offsets(inputs=1, outputs=2, builtin_options=4)
    | _numbers(opcode_index=(0, 4, 0), builtin_options_type=(3, 1, 0)),
    "Conv2DOptions": _numbers(
        stride_w=(1, 4, 0), stride_h=(2, 4, 0), dilation_w_factor=(4, 4, 1), dilation_h_factor=(5, 4, 1),
        padding=(0, 1, 0), fused_activation_function=(3, 1, 0),
    ),
    "DepthwiseConv2DOptions": _numbers(
        stride_w=(1, 4, 0), stride_h=(2, 4, 0), depth_multiplier=(3, 4, 0), dilation_w_factor=(5, 4, 1),
        dilation_h_factor=(6, 4, 1), padding=(0, 1, 0), fused_activation_function=(4, 1, 0),
    ),
    "Pool2DOptions": _numbers(
        stride_w=(1, 4, 0), stride_h=(2, 4, 0), filter_width=(3, 4, 0), filter_height=(4, 4, 0), padding=(0, 1, 0),
        fused_activation_function=(5, 1, 0),
    ),
    "FullyConnectedOptions": _numbers(fused_activation_function=(0, 1, 0)),
    "AddOptions": _numbers(fused_activation_function=(0, 1, 0)),
    "MulOptions": _numbers(fused_activation_function=(0, 1, 0)),
    "ConcatenationOptions": _numbers(axis=(0, 4, 0)),
    "ReducerOptions": _numbers(keep_dims=(0, 1, 0)),
}  # fmt: skip
"""The fields by table, in the order in which they are written: those of four bytes first, to save padding."""

OPTIONS = {
    "Conv2DOptions": 1, "DepthwiseConv2DOptions": 2, "Pool2DOptions": 5, "FullyConnectedOptions": 8,
    "ConcatenationOptions": 10, "AddOptions": 11, "MulOptions": 21, "ReducerOptions": 27,
}  # fmt: skip
"""The number of each table in the union of options."""
ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU6": 3}
TENSOR_TYPES = {"INT32": 2, "INT8": 9}


class OperatorKind(NamedTuple):
    """An operation of the schema: its code, the first version that reads 8-bit integers, and its table of options."""

    code: int
    version: int = 2
    options: str = ""


OPERATORS = {
    "ADD": OperatorKind(0, options="AddOptions"),
    "AVERAGE_POOL_2D": OperatorKind(1, options="Pool2DOptions"),
    "CONCATENATION": OperatorKind(2, options="ConcatenationOptions"),
    "CONV_2D": OperatorKind(3, 3, "Conv2DOptions"),
    "DEPTHWISE_CONV_2D": OperatorKind(4, 3, "DepthwiseConv2DOptions"),
    "FULLY_CONNECTED": OperatorKind(9, 4, "FullyConnectedOptions"),
    "HARD_SWISH": OperatorKind(117, 1),
    "LOGISTIC": OperatorKind(14),
    "MAX_POOL_2D": OperatorKind(17, options="Pool2DOptions"),
    "MEAN": OperatorKind(40, options="ReducerOptions"),
    "MUL": OperatorKind(18, options="MulOptions"),
    "PAD": OperatorKind(34),
    "PADV2": OperatorKind(60),
    "PRELU": OperatorKind(54, 1),
    "QUANTIZE": OperatorKind(114),
    "RELU": OperatorKind(19),
    "RELU6": OperatorKind(21),
    "RESHAPE": OperatorKind(22, 1),
    "SLICE": OperatorKind(65),
    "TANH": OperatorKind(28),
    "TRANSPOSE": OperatorKind(39),
}
