"""A network as the cards that are drawn: equal blocks in a row are one card."""

from collections import Counter
from dataclasses import dataclass, fields
from math import prod

from nas.genome.cost import tally
from nas.genome.graph import Graph, Node, Op, Shape
from nas.report.text import TIMES

CHARACTERS = 27  # that fit next to a picture


@dataclass(frozen=True)
class Block:
    """One node, or several equal ones in a row."""

    nodes: tuple[Node, ...]

    @property
    def op(self) -> Op:
        return self.nodes[0].op

    @property
    def shape(self) -> Shape:
        return self.nodes[-1].shape

    @property
    def params(self) -> int:
        return len(self.nodes) * tally(self.nodes[0].placed).params

    @property
    def macs(self) -> int:
        return len(self.nodes) * tally(self.nodes[0].placed).macs


def blocks(graph: Graph) -> tuple[list[Block], list[tuple[int, int]]]:
    """Return the cards of a network, in order, and the connections between them."""
    readers = Counter(i for node in graph.nodes for i in node.inputs) + Counter(graph.outputs)
    found: list[Block] = []
    home: list[int] = []
    for node in graph.nodes:
        before = graph.nodes[node.inputs[0]] if len(node.inputs) == 1 else None
        above = home[node.inputs[0]] if before else -1
        again = (
            before is not None
            and before.placed == node.placed
            and node.placed.body is not None
            and readers[node.inputs[0]] == 1
        )
        if again:
            found[above] = Block((*found[above].nodes, node))
            home.append(above)
        else:
            found.append(Block((node,)))
            home.append(len(found) - 1)
    edges = [(home[i], home[place]) for place, node in enumerate(graph.nodes) for i in node.inputs]
    return found, [(start, end) for start, end in dict.fromkeys(edges) if start != end]


def extent(shape: Shape) -> str:
    """Return (64, 32, 32) as 64 by 32 by 32, with multiplication signs."""
    return f" {TIMES} ".join(map(str, shape))


def settings(op: Op) -> str:
    """Return the hyperparameters that are not at their default: `width 64, stride 2`."""
    default = {spec.name: spec.default for spec in fields(op)}
    return ", ".join(f"{name} {value}" for name, value in op.values().items() if value != default[name])


def wrap(text: str, lines: int = 2) -> list[str]:
    """Return text broken at commas into at most `lines` lines of the card."""
    rows = [""]
    for part in filter(None, text.split(", ")):
        joined = f"{rows[-1]}, {part}" if rows[-1] else part
        if rows[-1] and len(joined) > CHARACTERS:
            rows.append(part)
        else:
            rows[-1] = joined
    if len(rows) > lines:
        rows = [*rows[: lines - 1], ", ".join(rows[lines - 1 :])]
    return [row if len(row) <= CHARACTERS else f"{row[: CHARACTERS - 1]}…" for row in rows if row]


def width(shape: Shape) -> int:
    """Return the channels of an image or the features of a vector."""
    return shape[0] if shape else prod(shape)
