"""What of a layer decides how long it takes: numbers per kind of layer, from its op and the shapes it reads."""

from math import prod
from typing import NamedTuple

from nas.genome.graph import PlacedOp, Shape, place_op
from nas.genome.layers import Conv, pair
from nas.genome.op_kinds import Layer

LANES = (8, 16)  # channels that a vector instruction or an array of multipliers takes at once; fewer cost as much
FAMILIES = {True: "any_weighted", False: "any_other"}  # by whether a layer counts as one of depth


class LayerFeatures(NamedTuple):
    """The numbers of one layer.

    kind: how it is computed. family: the kinds that a kind is predicted from that was never measured. numbers: by
    quantity, those that are not 0. layers: one. macs: multiply-accumulates. read, written: elements. weights:
    parameters. `macs by 8` and so on: the same with the channels rounded up to a number of LANES.
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
    numbers = {"layers": 1, "macs": op.macs(*placed.inputs), "weights": op.params(*placed.inputs), **_moved(placed, 1)}
    for lanes in LANES:
        rounded = {"macs": _rounded_macs(placed, lanes), **_moved(placed, lanes)}
        numbers |= {f"{name} by {lanes}": value for name, value in rounded.items()}
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


def _moved(placed: PlacedOp, lanes: int) -> dict[str, int]:
    """Return the elements read and written, with channels rounded up to a number of lanes."""
    read = sum([_rounded_size(shape, lanes) for shape in placed.inputs])
    return {"read": read, "written": _rounded_size(placed.shape, lanes)}


def _rounded_size(shape: Shape, lanes: int) -> int:
    return _rounded_up(shape[0], lanes) * prod(shape[1:])


def _rounded_macs(placed: PlacedOp, lanes: int) -> int:
    """Return the MACs of a convolution with one group, or with one per channel; 0 of any other layer."""
    op = placed.op
    if not isinstance(op, Conv) or kind_of(placed) == "grouped":
        return 0
    channels = _rounded_up(placed.inputs[0][0], lanes) if op.groups == 1 else 1
    return channels * prod(pair(op.kernel)) * _rounded_size(placed.shape, lanes)


def _rounded_up(channels: int, lanes: int) -> int:
    return -(-channels // lanes) * lanes
