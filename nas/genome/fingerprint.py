"""The fingerprint: equal for two graphs exactly when they are the same network.

It is computed from the layers. Names, the order of inputs that commute, the order in which several values are summed
and the primitives do not change it. Two layers with the same hyperparameters differ from one layer read twice.

A network is cut at each layer that all paths go through; every way to write the network has these cuts in the same
order. Between two cuts, color refinement gives each layer a color computed from all layers before and after it. Where
equal colors remain, one of them is singled out and refinement continues, and the smallest certificate over the
choices that matter is used (McKay & Piperno 2014, section 2). Certificates are cached, so that the fingerprint of a
changed network takes only the work for the change.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from nas.genome.graph import Graph, Node, Op, write_out
from nas.genome.layers import Add
from nas.genome.op_kinds import Layer

Row = tuple[Op | None, tuple[int, ...]]  # an op and what it reads; None: the start or the end of a segment
Colors = list[bytes]
MAX_WORK = (
    300_000  # rows colored in one segment; 32 equal branches need 200,000, a crafted genome could need any number
)


def fingerprint(graph: Graph) -> str:
    """Return 32 hexadecimal digits that identify the network, independent of names and primitives.

    Equal fingerprints always mean equal networks. A network may have several fingerprints only if it is crafted for
    it, with hundreds of equal branches in one segment.
    """
    return _digest(_op_digest(graph.nodes[0].op), *_parts(graph)).hex()


def _parts(graph: Graph) -> list[bytes]:
    """Return the certificates of a graph's segments, in order; those of a block are kept with it."""
    ends = [graph.outputs] if len(graph.outputs) > 1 else []
    parts: list[bytes] = []
    for start, end in pairwise(cuts([*[node.inputs for node in graph.nodes], *ends])):
        alone = graph.nodes[end].placed if end == start + 1 < len(graph.nodes) else None
        if alone and alone.body and len(alone.inputs) == 1:
            if alone.certificates is None:
                alone.certificates = _parts(alone.body)
            parts += alone.certificates
        else:
            parts += _written_out(graph, start, end)
    return parts


def _written_out(graph: Graph, start: int, end: int) -> Iterator[bytes]:
    """Yield the certificates of the layers after node `start` up to node `end`."""
    nodes = [graph.nodes[start]]
    positions = {start: 0}
    for position, node in enumerate(graph.nodes[start + 1 : end + 1], start + 1):
        positions[position] = write_out(node.placed, "", [positions[i] for i in node.inputs], nodes)
    rows = _rows(nodes, [positions[i] for i in (graph.outputs if end == len(graph.nodes) else (end,))])
    for first, last in pairwise(cuts([inputs for _, inputs in rows])):
        yield _certificate(
            tuple([(op, tuple([i - first for i in inputs])) for op, inputs in rows[first + 1 : last + 1]])
        )


def _rows(nodes: Sequence[Node], outputs: Sequence[int]) -> list[Row]:
    """Return the layers after the first, a sum of sums as one sum; several outputs are read by a last row."""
    readers = Counter(i for node in nodes[1:] for i in node.inputs) + Counter(outputs)
    rows: list[Row] = [(None, ())]
    position: dict[int, int] = {0: 0}
    terms: dict[int, tuple[int, ...]] = {}  # of sums read once, by another sum
    sums = {i for i, node in enumerate(nodes) if i and isinstance(node.op, Add)}
    inner = {i for p in sums for i in nodes[p].inputs if i in sums and readers[i] == 1}
    for p, node in enumerate(nodes[1:], 1):
        inputs = tuple([j for i in node.inputs for j in (terms[i] if i in inner else (position[i],))])
        if p in inner:
            terms[p] = inputs
        else:
            position[p] = len(rows)
            rows.append((node.op, inputs))
    return [*rows, (None, tuple([position[i] for i in outputs]))] if len(outputs) > 1 else rows


def cuts(reads: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the positions that every path from first to last goes through, where position i reads `reads[i]`."""
    last = {i: position for position, inputs in enumerate(reads) for i in inputs}
    cut, furthest = [], 0
    for position in range(len(reads)):
        if furthest <= position:
            cut.append(position)
        furthest = max(furthest, last.get(position, 0))
    return cut


def _digest(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()


@lru_cache(maxsize=16_384)
def _op_digest(op: Op | None) -> bytes:
    return _digest(repr((op.stable_name(), *op.stable_values().items()) if op else ("NoneType",)).encode())


@lru_cache(maxsize=65_536)
def _certificate(segment: tuple[Row, ...]) -> bytes:
    """Return an identifier of the rows after a cut up to the next; input 0 is the cut itself."""
    canon = _Canon([(None, ()), *segment])
    return canon.canonical(canon.refine(canon.start))


class _Canon:
    """Canonical labeling of one segment."""

    def __init__(self, rows: list[Row]) -> None:
        self.inputs = [inputs for _, inputs in rows]
        self.commutes = [isinstance(op, Layer) and op.commutes for op, _ in rows]
        self.readers: list[list[tuple[int, bytes]]] = [[] for _ in rows]
        for position, inputs in enumerate(self.inputs):
            for port, i in enumerate(inputs):
                self.readers[i].append((position, b"*" if self.commutes[position] else port.to_bytes(4, "big")))
        self.start = [_op_digest(op) for op, _ in rows]
        self.work = MAX_WORK

    def refine(self, colors: Colors) -> Colors:
        """Pass colors down and up the list until no more nodes get different colors."""
        count = len(set(colors))
        while True:
            self.work -= len(colors)
            down: Colors = []
            for position, inputs in enumerate(self.inputs):
                parts = [down[i] for i in inputs]
                down.append(_digest(colors[position], *(sorted(parts) if self.commutes[position] else parts)))
            up = down[:]
            for position in range(len(up) - 1, -1, -1):
                up[position] = _digest(down[position], *sorted([up[r] + port for r, port in self.readers[position]]))
            colors, before, count = up, count, len(set(up))
            if count in (before, len(colors)):
                return colors

    def tied(self, colors: Colors) -> list[int]:
        """Return the members of the first class of equal colors; the choice of class does not depend on names."""
        classes: dict[bytes, list[int]] = {}
        for position, color in enumerate(colors):
            classes.setdefault(color, []).append(position)
        several = [(len(members), color) for color, members in classes.items() if len(members) > 1]
        return classes[min(several)[1]] if several else []

    def single_out(self, colors: Colors, position: int) -> Colors:
        changed = colors[:]
        changed[position] = _digest(colors[position], b"singled out")
        return self.refine(changed)

    def certificate(self, colors: Colors) -> bytes:
        """Return the certificate of the segment from its colors; only meaningful when all differ."""
        rows = []
        for position, inputs in enumerate(self.inputs):
            parts = [colors[i] for i in inputs]
            inside = sorted(parts) if self.commutes[position] else parts
            rows.append(b"".join([colors[position], self.start[position], *inside]))
        return _digest(*sorted(rows))

    def greedy(self, colors: Colors) -> bytes:
        while members := self.tied(colors):
            if self.work < 0:
                colors = [_digest(color, position.to_bytes(4, "big")) for position, color in enumerate(colors)]
            else:
                colors = self.single_out(colors, members[0])
        return self.certificate(colors)

    def canonical(self, colors: Colors) -> bytes:
        members = self.tied(colors)
        if not members:
            return self.certificate(colors)
        # Members with the same certificate are images of each other under an automorphism: one is enough.
        branches: dict[bytes, Colors] = {}
        for position in members:
            branch = self.single_out(colors, position)
            branches.setdefault(self.greedy(branch), branch)
            if self.work < 0:
                return min(branches)
        if len(branches) == 1:
            return next(iter(branches))
        return min(self.canonical(branch) for branch in branches.values())
