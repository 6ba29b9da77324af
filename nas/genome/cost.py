"""The cost of a network, as exact integers, and budgets for it.

The counts of a primitive are computed once per op and input shapes and kept, so that counting another network only
adds up a few small tuples. The totals equal those of the graph written out in layers, peak memory included.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nas.errors import GenomeError
from nas.genome.graph import Graph, PlacedOp, Tally
from nas.genome.op_kinds import Layer

MAX_LAYERS = 5_000  # ResNet-1202 has 4,200; more is a mistake or an attack
UNREACHED = -10 * MAX_LAYERS
BYTES = 4  # float32


@dataclass(frozen=True)
class Cost:
    """Exact counts for the forward pass of one sample at evaluation.

    params: trainable parameters (gamma and beta of a batch norm included). macs: multiply-accumulates of convolutions
    and linear layers. activations: elements of their outputs. peak_bytes: the largest number of bytes of float32
    tensors alive at once when the nodes run in order and each tensor is freed after its last reader, without weights.
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
        """Return all counts by name, flops after macs."""
        return {
            "params": self.params,
            "macs": self.macs,
            "flops": self.flops,
            "activations": self.activations,
            "peak_bytes": self.peak_bytes,
            "depth": self.depth,
        }


def tally(placed: PlacedOp) -> Tally:
    """Return the counts of one op. Raises GenomeError when it expands to more than MAX_LAYERS layers."""
    if placed.tally is None:
        placed.tally = _tally(placed)
    return placed.tally


def _tally(placed: PlacedOp) -> Tally:
    op, shapes = placed.op, placed.inputs
    if placed.body:
        each = [_add_up(placed.body, start) for start in range(len(shapes))]
        return each[0]._replace(reach=tuple([counts.reach[0] for counts in each]))
    if isinstance(op, Layer):
        activations = placed.size if op.weighted else 0
        return Tally(op.params(*shapes), op.macs(*shapes), activations, 1, (int(op.weighted),) * len(shapes))
    return Tally(0, 0, 0, 0, ())


def _add_up(graph: Graph, start: int = 0) -> Tally:
    """Return the sums over a graph, and the longest path from node `start` as its reach."""
    params = macs = activations = layers = 0
    lengths: list[int] = []  # weighted layers on the longest path from `start`
    for _, placed, inputs in graph.nodes:
        counts = placed.tally or tally(placed)
        params += counts[0]
        macs += counts[1]
        activations += counts[2]
        layers += counts[3]
        if len(inputs) == 1:
            lengths.append(lengths[inputs[0]] + counts[4][0])
        elif inputs:
            lengths.append(max([lengths[i] + r for i, r in zip(inputs, counts[4], strict=True)]))
        else:
            lengths.append(0 if len(lengths) == start else UNREACHED)
        if layers > MAX_LAYERS:
            raise GenomeError(f"the network written out has more than {MAX_LAYERS:,} layers")
    return Tally(params, macs, activations, layers, (max([lengths[i] for i in graph.outputs]),))


def _peak(graph: Graph, freed: Sequence[bool], same: Sequence[int] = ()) -> int:
    """Return the largest number of elements alive at once while the graph runs, its own inputs not counted.

    `freed[i]`: input i may be freed after its last reader in this graph; otherwise a later node outside reads it.
    `same[i]`: the first input that is the same value as input i, if a value is given twice.
    """
    nodes = graph.nodes
    reads = [inputs for _, _, inputs in nodes]
    if same:
        reads = [tuple([same[i] if i < len(same) else i for i in inputs]) for inputs in reads]
    last = {i: position for position, inputs in enumerate(reads) for i in inputs}
    for i in (*graph.outputs, *[i for i, free in enumerate(freed) if not free]):
        last[i] = len(nodes)
    dying = [0] * (len(nodes) + 1)
    for i, position in last.items():
        dying[position] += nodes[i].placed.size
    alive = peak = 0
    for position, (_, placed, _) in enumerate(nodes):
        if inputs := reads[position]:
            size = extra = placed.size
            if placed.body is not None:
                only = len(inputs) == 1
                ends = (last[inputs[0]] == position,) if only else tuple([last[i] == position for i in inputs])
                extra = _extra(placed, ends, () if only else _repeated(inputs))
            if alive + extra > peak:
                peak = alive + extra
            alive += size - dying[position]
    return peak


def _repeated(inputs: tuple[int, ...]) -> tuple[int, ...]:
    return () if len(set(inputs)) == len(inputs) else tuple([inputs.index(i) for i in inputs])


def _extra(placed: PlacedOp, freed: tuple[bool, ...], same: tuple[int, ...]) -> int:
    """Return the largest number of elements alive inside a primitive, its inputs not counted; see `_peak`."""
    key = freed, same
    if key not in placed.peaks:
        assert placed.body is not None
        placed.peaks[key] = _peak(placed.body, freed, same)
    return placed.peaks[key]


def cost(graph: Graph, auxiliary: bool = False) -> Cost:
    """Return the counts of a network; with `auxiliary`, those of the heads used only in training are included.

    Raises GenomeError for more than MAX_LAYERS layers.
    """
    graph = graph if auxiliary else graph.main
    total = _add_up(graph)
    peak = graph.nodes[0].placed.size + _peak(graph, (True,))
    return Cost(total.params, total.macs, total.activations, peak * BYTES, total.reach[0])
