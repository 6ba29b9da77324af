"""What a network costs, and whether a budget holds it: sums over the list, in Python's exact integers.

A primitive's tally is computed once per (op, input shapes) and kept, so a warm count only adds a handful of
small tuples up. The totals equal those of the graph written out in layers, peak memory included.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from nas.errors import BudgetError, GenomeError
from nas.genome.graph import Graph, Layer, Op, Primitive, Shape, expansion

MOST_LAYERS = 20_000  # ResNet-1202 has 4,200; more than this is a mistake or an attack
BYTES = 4  # float32


@dataclass(frozen=True)
class Cost:
    """Exact counts of one sample's forward pass at evaluation.

    params: trainable parameters (a batch norm counts gamma and beta). macs: multiply-accumulates of convolutions
    and linear layers. activations: elements of their outputs. peak_bytes: the most bytes of float32 tensors alive
    at once when the list is run in order, each tensor dropped after its last reader, weights not counted.
    depth: convolutions and linear layers on the longest path.
    """

    params: int
    macs: int
    activations: int
    peak_bytes: int
    depth: int

    @property
    def flops(self) -> int:
        """Floating-point operations: 2 * macs."""
        return 2 * self.macs

    def as_dict(self) -> dict[str, int]:
        """All counts by name, flops after macs."""
        return {
            "params": self.params,
            "macs": self.macs,
            "flops": self.flops,
            "activations": self.activations,
            "peak_bytes": self.peak_bytes,
            "depth": self.depth,
        }


class Tally(NamedTuple):
    """What one op adds, given its input shapes."""

    params: int
    macs: int
    activations: int
    layers: int
    reach: tuple[int, ...]  # weighted layers on the longest path from each input to the output


@lru_cache(maxsize=65_536)
def tally(op: Op, shapes: tuple[Shape, ...]) -> Tally:
    """The counts of one op. Raises GenomeError when it expands to more than MOST_LAYERS layers."""
    if isinstance(op, Primitive):
        body = expansion(op, shapes)
        total = _add_up(body)
        reach = tuple(_longest(body, start)[body.outputs[0]] for start in range(len(shapes)))
        return total._replace(reach=reach)
    if isinstance(op, Layer):
        activations = prod(op.shape(*shapes)) if op.weighted else 0
        reach = (int(op.weighted),) * len(shapes)
        return Tally(op.params(*shapes), op.macs(*shapes), activations, 1, reach)
    return Tally(0, 0, 0, 0, ())


def _add_up(graph: Graph) -> Tally:
    params = macs = activations = layers = 0
    nodes = graph.nodes
    for node in nodes:
        if node.inputs:
            counts = tally(node.op, tuple([nodes[i].shape for i in node.inputs]))
            params += counts[0]
            macs += counts[1]
            activations += counts[2]
            layers += counts[3]
    if layers > MOST_LAYERS:
        raise GenomeError(f"the network has {layers:,} layers; at most {MOST_LAYERS:,} are allowed")
    return Tally(params, macs, activations, layers, ())


def _longest(graph: Graph, start: int) -> list[int]:
    """Weighted layers on the longest path from node `start` to each node; below zero where there is no path."""
    unreached = -MOST_LAYERS * 2
    lengths: list[int] = []
    for place, node in enumerate(graph.nodes):
        if place == start:
            lengths.append(0)
        elif not node.inputs:
            lengths.append(unreached)
        else:
            reach = tally(node.op, graph.shapes(node)).reach
            lengths.append(max([lengths[i] + r for i, r in zip(node.inputs, reach, strict=True)]))
    return lengths


def _peak(graph: Graph, freed: Sequence[bool]) -> int:
    """The most elements alive at once while the graph runs, beyond its own inputs.

    `freed[i]` says that input i may be dropped after its last reader here; otherwise its owner still needs it.
    """
    nodes = graph.nodes
    last: dict[int, int] = {}
    for place, node in enumerate(nodes):
        for i in node.inputs:
            last[i] = place
    for i in graph.outputs:
        last[i] = len(nodes)
    alive = peak = 0
    for place, node in enumerate(nodes):
        if not node.inputs:
            continue
        once = len(set(node.inputs)) == len(node.inputs)
        ends = tuple([once and last[i] == place and (i >= len(freed) or freed[i]) for i in node.inputs])
        peak = max(peak, alive + _extra(node.op, tuple([nodes[i].shape for i in node.inputs]), ends))
        alive += prod(node.shape)
        for i in set(node.inputs):
            if last[i] == place and (i >= len(freed) or freed[i]):
                alive -= prod(nodes[i].shape)
    return peak


@lru_cache(maxsize=65_536)
def _extra(op: Op, shapes: tuple[Shape, ...], freed: tuple[bool, ...]) -> int:
    """The most elements one op has alive beyond its inputs, when `freed` of them die with their last reader inside."""
    if isinstance(op, Primitive):
        return _peak(expansion(op, shapes), freed)
    return prod(op.shape(*shapes))


def cost(graph: Graph, auxiliary: bool = False) -> Cost:
    """Count a network; with `auxiliary`, the heads used only in training too."""
    graph = graph if auxiliary else graph.main
    total = _add_up(graph)
    lengths = _longest(graph, 0)
    peak = prod(graph.input) + _peak(graph, (True,))
    return Cost(total.params, total.macs, total.activations, peak * BYTES, max(lengths[i] for i in graph.outputs))


@dataclass(frozen=True)
class Range:
    """An inclusive range; an end that is None is open."""

    min: int | None = None
    max: int | None = None

    def __post_init__(self) -> None:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise BudgetError(f"`min` (={self.min:,}) is above `max` (={self.max:,}): nothing can be inside")

    def excess(self, value: int) -> float:
        """How far outside, as a share of the end that is passed; at most 0 inside."""
        over = (value - self.max) / max(self.max, 1) if self.max is not None else -1.0
        under = (self.min - value) / max(self.min, 1) if self.min is not None else -1.0
        return max(over, under)


@dataclass(frozen=True)
class Budget:
    """Hard limits on what a network may cost. A network outside is never trained."""

    params: Range = Range()
    macs: Range = Range()
    activations: Range = Range()
    peak_bytes: Range = Range()
    depth: Range = Range()

    def excess(self, cost: Cost) -> dict[str, float]:
        """For each limited quantity the relative excess, at most 0 inside."""
        return {name: limit.excess(getattr(cost, name)) for name, limit in self.limits().items()}

    def allows(self, cost: Cost) -> bool:
        """Whether every limit holds."""
        return all(value <= 0 for value in self.excess(cost).values())

    def limits(self) -> dict[str, Range]:
        """The quantities that are limited."""
        ranges = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        return {name: limit for name, limit in ranges.items() if limit != Range()}

    def as_dict(self) -> dict[str, Any]:
        """The limited quantities as plain data."""
        return {
            name: {end: value for end, value in (("min", limit.min), ("max", limit.max)) if value is not None}
            for name, limit in self.limits().items()
        }
