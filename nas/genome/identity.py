"""The fingerprint: equal for two graphs exactly when they are the same network.

Names do not count, nor does the order of inputs that commute, nor the primitives a network was written with:
the fingerprint is of the layers. Weights shared and weights merely alike are told apart. Colour refinement gives
each layer a colour from all that lies before and behind it; where equal colours remain, one of them is singled
out and refinement goes on, and the smallest certificate over the choices that matter is kept.
"""

import hashlib
from functools import lru_cache

from nas.genome.graph import Graph, Layer, Op, lower

Colours = list[bytes]


def _digest(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()


@lru_cache(maxsize=16_384)
def _ink(op: Op) -> bytes:
    return _digest(repr((type(op).__name__, *op.values().items())).encode())


class _Canon:
    """Canonical labelling of one lowered graph."""

    def __init__(self, graph: Graph) -> None:
        self.inputs = [node.inputs for node in graph.nodes]
        self.commutes = [isinstance(node.op, Layer) and node.op.commutes for node in graph.nodes]
        self.readers: list[list[tuple[int, bytes]]] = [[] for _ in graph.nodes]
        for place, inputs in enumerate(self.inputs):
            for port, i in enumerate(inputs):
                self.readers[i].append((place, b"*" if self.commutes[place] else port.to_bytes(2, "big")))
        self.start = [_ink(node.op) for node in graph.nodes]
        for rank, output in enumerate(graph.outputs):
            self.start[output] = _digest(self.start[output], b"output", rank.to_bytes(2, "big"))

    def refine(self, colours: Colours) -> Colours:
        """Let colours flow down and up the list until they tell no more nodes apart."""
        count = len(set(colours))
        while True:
            down: Colours = []
            for place, inputs in enumerate(self.inputs):
                parts = [down[i] for i in inputs]
                down.append(_digest(colours[place], *(sorted(parts) if self.commutes[place] else parts)))
            up = down[:]
            for place in range(len(up) - 1, -1, -1):
                up[place] = _digest(down[place], *sorted(up[r] + port for r, port in self.readers[place]))
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
        """The whole graph, written in its colours; only meaningful once all differ."""
        rows = []
        for place, inputs in enumerate(self.inputs):
            parts = [colours[i] for i in inputs]
            rows.append(colours[place] + self.start[place] + b"".join(sorted(parts) if self.commutes[place] else parts))
        return _digest(*sorted(rows))

    def greedy(self, colours: Colours) -> bytes:
        while members := self.tied(colours):
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
        if len(branches) == 1:
            return next(iter(branches))
        return min(self.canonical(branch) for branch in branches.values())


def fingerprint(graph: Graph) -> str:
    """32 hexadecimal digits that name the network, whatever it is called and however it is written."""
    canon = _Canon(lower(graph))
    return canon.canonical(canon.refine(canon.start)).hex()
