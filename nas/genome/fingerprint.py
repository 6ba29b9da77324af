"""The fingerprint: equal for two graphs exactly when they are the same network.

Names do not count, nor the order of inputs that commute, nor in which order a sum of several is taken, nor the
primitives a network was written with: the fingerprint is of the layers. Weights shared and weights merely alike are
told apart.

A network is cut where all of it passes through one layer, which any way of writing it must show in the same order.
Between two cuts colour refinement gives each layer a colour from all that lies before and behind it; where equal
colours remain, one of them is singled out and refinement goes on, and the smallest certificate over the choices that
matter is kept (McKay & Piperno 2014, section 2). Certificates are kept, so a changed network costs only its change.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from nas.genome.graph import Graph, Node, Op, write_out
from nas.genome.layers import Add
from nas.genome.op_kinds import Layer

Row = tuple[Op | None, tuple[int, ...]]  # an op and what it reads; None: where a stretch of network begins or ends
Colours = list[bytes]
MAX_WORK = 300_000  # rows coloured in one stretch; 32 equal branches need 200,000, a crafted one could ask for ever


def fingerprint(graph: Graph) -> str:
    """32 hexadecimal digits that name the network, whatever it is called and however it is written.

    Equal fingerprints are always equal networks. Only a network crafted for it, of hundreds of equal branches in one
    stretch, may have several.
    """
    return _digest(_ink(graph.nodes[0].op), *_parts(graph)).hex()


def _parts(graph: Graph) -> list[bytes]:
    """The certificates of a graph's stretches, one after another; those of a block are kept with it."""
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
    """The certificates of what lies behind `start` up to `end`, in layers."""
    nodes = [graph.nodes[start]]
    places = {start: 0}
    for place, node in enumerate(graph.nodes[start + 1 : end + 1], start + 1):
        places[place] = write_out(node.placed, "", [places[i] for i in node.inputs], nodes)
    rows = _rows(nodes, [places[i] for i in (graph.outputs if end == len(graph.nodes) else (end,))])
    for first, last in pairwise(cuts([inputs for _, inputs in rows])):
        yield _certificate(
            tuple([(op, tuple([i - first for i in inputs])) for op, inputs in rows[first + 1 : last + 1]])
        )


def _rows(nodes: Sequence[Node], outputs: Sequence[int]) -> list[Row]:
    """The layers behind the first, a sum of sums as one sum, and at last a row that reads all outputs, if several."""
    readers = Counter(i for node in nodes[1:] for i in node.inputs) + Counter(outputs)
    rows: list[Row] = [(None, ())]
    place: dict[int, int] = {0: 0}
    terms: dict[int, tuple[int, ...]] = {}  # of sums read once, by another sum
    sums = {i for i, node in enumerate(nodes) if i and isinstance(node.op, Add)}
    inner = {i for p in sums for i in nodes[p].inputs if i in sums and readers[i] == 1}
    for p, node in enumerate(nodes[1:], 1):
        inputs = tuple([j for i in node.inputs for j in (terms[i] if i in inner else (place[i],))])
        if p in inner:
            terms[p] = inputs
        else:
            place[p] = len(rows)
            rows.append((node.op, inputs))
    return [*rows, (None, tuple([place[i] for i in outputs]))] if len(outputs) > 1 else rows


def cuts(reads: Sequence[tuple[int, ...]]) -> list[int]:
    """The places every path from first to last goes through, where place i reads `reads[i]`."""
    last = {i: place for place, inputs in enumerate(reads) for i in inputs}
    found, furthest = [], 0
    for place in range(len(reads)):
        if furthest <= place:
            found.append(place)
        furthest = max(furthest, last.get(place, 0))
    return found


def _digest(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()


@lru_cache(maxsize=16_384)
def _ink(op: Op | None) -> bytes:
    return _digest(repr((op.stable_name(), *op.values().items()) if op else ("NoneType",)).encode())


@lru_cache(maxsize=65_536)
def _certificate(stretch: tuple[Row, ...]) -> bytes:
    """A name for the rows after a cut up to the next; input 0 is the cut itself."""
    canon = _Canon([(None, ()), *stretch])
    return canon.canonical(canon.refine(canon.start))


class _Canon:
    """Canonical labelling of one stretch."""

    def __init__(self, rows: list[Row]) -> None:
        self.inputs = [inputs for _, inputs in rows]
        self.commutes = [isinstance(op, Layer) and op.commutes for op, _ in rows]
        self.readers: list[list[tuple[int, bytes]]] = [[] for _ in rows]
        for place, inputs in enumerate(self.inputs):
            for port, i in enumerate(inputs):
                self.readers[i].append((place, b"*" if self.commutes[place] else port.to_bytes(4, "big")))
        self.start = [_ink(op) for op, _ in rows]
        self.work = MAX_WORK

    def refine(self, colours: Colours) -> Colours:
        """Let colours flow down and up the list until they tell no more nodes apart."""
        count = len(set(colours))
        while True:
            self.work -= len(colours)
            down: Colours = []
            for place, inputs in enumerate(self.inputs):
                parts = [down[i] for i in inputs]
                down.append(_digest(colours[place], *(sorted(parts) if self.commutes[place] else parts)))
            up = down[:]
            for place in range(len(up) - 1, -1, -1):
                up[place] = _digest(down[place], *sorted([up[r] + port for r, port in self.readers[place]]))
            colours, before, count = up, count, len(set(up))
            if count in (before, len(colours)):
                return colours

    def tied(self, colours: Colours) -> list[int]:
        """The members of the first class of equal colours, in an order that no naming can change."""
        classes: dict[bytes, list[int]] = {}
        for place, colour in enumerate(colours):
            classes.setdefault(colour, []).append(place)
        several = [(len(members), colour) for colour, members in classes.items() if len(members) > 1]
        return classes[min(several)[1]] if several else []

    def single_out(self, colours: Colours, place: int) -> Colours:
        changed = colours[:]
        changed[place] = _digest(colours[place], b"singled out")
        return self.refine(changed)

    def certificate(self, colours: Colours) -> bytes:
        """The whole stretch, written in its colours; only meaningful once all differ."""
        rows = []
        for place, inputs in enumerate(self.inputs):
            parts = [colours[i] for i in inputs]
            rows.append(colours[place] + self.start[place] + b"".join(sorted(parts) if self.commutes[place] else parts))
        return _digest(*sorted(rows))

    def greedy(self, colours: Colours) -> bytes:
        while members := self.tied(colours):
            if self.work < 0:
                colours = [_digest(colour, place.to_bytes(4, "big")) for place, colour in enumerate(colours)]
            else:
                colours = self.single_out(colours, members[0])
        return self.certificate(colours)

    def canonical(self, colours: Colours) -> bytes:
        members = self.tied(colours)
        if not members:
            return self.certificate(colours)
        # Members that lead to one certificate are images of each other: one of them speaks for all.
        branches: dict[bytes, Colours] = {}
        for place in members:
            branch = self.single_out(colours, place)
            branches.setdefault(self.greedy(branch), branch)
            if self.work < 0:
                return min(branches)
        if len(branches) == 1:
            return next(iter(branches))
        return min(self.canonical(branch) for branch in branches.values())
