"""What of a layer decides how long it takes: numbers per kind of layer, from its op and the shapes it reads."""

from math import prod
from typing import NamedTuple

from nas.genome.graph import PlacedOp, place_op
from nas.genome.layers import Conv, pair
from nas.genome.op_kinds import Layer

LANES = 8  # channels that a vector instruction or an array of multipliers takes at once; fewer cost as much
FAMILIES = {True: "any_weighted", False: "any_other"}  # by whether a layer counts as one of depth


class LayerFeatures(NamedTuple):
    """The numbers of one layer.

    kind: how it is computed. family: the kinds that a kind is predicted from that was never measured. numbers: by
    quantity, those that are not 0. layers: one. macs: multiply-accumulates. padded_macs: the same with channels rounded
    up to LANES. read, written: elements. weights: parameters.
    """

    kind: str
    family: str
    numbers: dict[str, float]


def layer_features(placed: PlacedOp) -> LayerFeatures | None:
    """Return the numbers of one layer, as it is at evaluation; None of an op that is not a layer."""
    if not isinstance(placed.op, Layer):
        return None
    op = placed.op.evaluated()
    placed = place_op(op, placed.inputs)
    numbers = {
        "layers": 1,
        "macs": op.macs(*placed.inputs),
        "padded_macs": _padded_macs(placed),
        "read": sum(map(prod, placed.inputs)),
        "written": placed.size,
        "weights": op.params(*placed.inputs),
    }
    kept = {name: float(value) for name, value in numbers.items() if value}
    return LayerFeatures(kind_of(placed), FAMILIES[op.weighted], kept)


def kind_of(placed: PlacedOp) -> str:
    """Return the kind of a layer: a convolution by how its kernel and groups are computed, any other by its op."""
    op = placed.op
    if not isinstance(op, Conv):
        return type(op).__name__
    if op.groups > 1:
        return "depthwise" if op.groups == placed.inputs[0][0] else "grouped"
    return "pointwise" if prod(pair(op.kernel)) == 1 else "convolution"


def _padded_macs(placed: PlacedOp) -> int:
    op = placed.op
    if not isinstance(op, Conv) or op.groups > 1:
        return 0
    pixels = placed.size // op.width
    return pixels * prod(pair(op.kernel)) * _rounded_up(placed.inputs[0][0]) * _rounded_up(op.width)


def _rounded_up(channels: int) -> int:
    return -(-channels // LANES) * LANES
