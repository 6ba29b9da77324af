"""The differences of two networks as sentences: blocks added, removed and changed, and other connections."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from nas.genome.fingerprint import fingerprint
from nas.genome.graph import Graph

MAX_NAMES = 6  # of nodes in one sentence


@dataclass(frozen=True)
class Alignment:
    """Pairs of positions of corresponding nodes, and the nodes that only one network has."""

    pairs: tuple[tuple[int, int], ...]
    removed: tuple[int, ...]
    added: tuple[int, ...]


def align(first: Graph, second: Graph) -> Alignment:
    """Pair equal ops in order, and between them ops of the same class."""
    ops = [[node.op for node in graph.nodes] for graph in (first, second)]
    pairs: list[tuple[int, int]] = []
    for tag, a, a_end, b, b_end in _matched(*ops):
        if tag == "equal":
            pairs += zip(range(a, a_end), range(b, b_end), strict=True)
            continue
        kinds = [[type(op) for op in ops[0][a:a_end]], [type(op) for op in ops[1][b:b_end]]]
        for inner, c, c_end, d, d_end in _matched(*kinds):
            if inner == "equal":
                pairs += zip(range(a + c, a + c_end), range(b + d, b + d_end), strict=True)
    paired = [{a for a, _ in pairs}, {b for _, b in pairs}]
    lone = [tuple([i for i in range(len(row)) if i not in known]) for row, known in zip(ops, paired, strict=True)]
    return Alignment(tuple(pairs), lone[0], lone[1])


def _matched(a: Sequence[Any], b: Sequence[Any]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, a, b, autojunk=False).get_opcodes()


def differences(first: Graph, second: Graph) -> list[str]:
    """Return sentences that describe the second network relative to the first; none when they are the same network."""
    if fingerprint(first) == fingerprint(second):
        return []
    alignment = align(first, second)
    sentences = [
        *_changes(first, second, alignment),
        *_lone("removed after", first, alignment.removed),
        *_lone("added after", second, alignment.added),
        *_rewired(first, second, alignment),
    ]
    if len(first.outputs) != len(second.outputs):
        sentences.append(f"auxiliary heads: {len(first.outputs) - 1} become {len(second.outputs) - 1}")
    return sentences or ["the same blocks in another order"]


def _changes(first: Graph, second: Graph, alignment: Alignment) -> Iterator[str]:
    """Yield a sentence for each change of a hyperparameter, with all nodes where it occurs."""
    moves: dict[tuple[str, str, Any, Any], list[str]] = {}
    for a, b in alignment.pairs:
        before, after = first.nodes[a].op, second.nodes[b].op
        for field, value in before.values().items():
            now = after.values()[field]
            if value != now:
                moves.setdefault((type(before).__name__, field, value, now), []).append(first.nodes[a].name)
    for (kind, field, value, now), names in moves.items():
        yield f"{_listed(names)} ({kind}): {field} {value} becomes {now}"


def _lone(what: str, graph: Graph, positions: Sequence[int]) -> Iterator[str]:
    """Yield a sentence for each run of equal nodes that only one of the networks has."""
    runs = groupby(enumerate(positions), key=lambda item: (item[1] - item[0], graph.nodes[item[1]].op))
    for (_, op), stretch in runs:
        nodes = [graph.nodes[position] for _, position in stretch]
        yield f"{_number(len(nodes), str(op))} {what} {_listed([graph.nodes[i].name for i in nodes[0].inputs])}"


def _rewired(first: Graph, second: Graph, alignment: Alignment) -> Iterator[str]:
    """Yield a sentence for each node that reads other nodes, not counting nodes inserted or removed in between."""
    there = dict(alignment.pairs)
    sources = [_sources(first, set(alignment.removed)), _sources(second, set(alignment.added))]
    for a, b in alignment.pairs:
        before = [{there[i] for i in sources[0][position]} for position in first.nodes[a].inputs]
        after = [sources[1][position] for position in second.nodes[b].inputs]
        old, new = set[int]().union(*before), set[int]().union(*after)
        if old != new:
            read = [_listed([second.nodes[i].name for i in sorted(positions)]) for positions in (old, new)]
            yield f"{second.nodes[b].name} ({type(second.nodes[b].op).__name__}) reads {read[1]} instead of {read[0]}"


def _sources(graph: Graph, skipped: set[int]) -> list[set[int]]:
    """Return the nodes that each node stands for: itself or, for a skipped node, those of its first input."""
    sources: list[set[int]] = []
    for position, node in enumerate(graph.nodes):
        sources.append(set(sources[node.inputs[0]]) if position in skipped and node.inputs else {position})
    return [{i for i in positions if i not in skipped} for positions in sources]


def _number(count: int, what: str) -> str:
    return f"one {what}" if count == 1 else f"{count} x {what}"


def _listed(names: Sequence[str]) -> str:
    """Return names as a list: `a`, `a and b`, `a, b and 3 more`."""
    if len(names) > MAX_NAMES:
        return f"{', '.join(names[: MAX_NAMES - 1])} and {len(names) - MAX_NAMES + 1} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
