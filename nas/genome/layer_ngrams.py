"""A network as a bag of short sequences of layers (n-grams), whatever search space it comes from.

As in the path encoding (White et al. 2021, section 3), networks that compute the same share their sequences, even if
their choices differ or have no names in common.
"""

from functools import lru_cache
from math import log2

from nas.genome.graph import Graph, Op, Shape, lower
from nas.genome.op_kinds import Input, Layer
from nas.genome.primitives.cells import Zero

LENGTH = 3
LayerNgrams = dict[tuple[str, ...], int]


def layer_ngrams(graph: Graph) -> LayerNgrams:
    """Return the number of times that up to LENGTH kinds of layers follow one another, by their kinds.

    A kind is the layer and log2 of the image's side over that of its output, such as Conv3@1 at half the side; the
    image is a kind of its own. Sums, concatenations, norms and activations are skipped, and layers that a Zero cuts
    off from the image or from the logits are left out.
    """
    main = lower(graph.main)
    counts: LayerNgrams = {}
    ends: list[LayerNgrams] = []  # for each node the shorter walks that end there
    for node, used in zip(main.nodes, _used(main), strict=True):
        walks = _together([ends[position] for position in node.inputs]) if used else {}
        kind = _kind(node.op, main.nodes[0].shape, node.shape)
        if kind and (walks or not node.inputs):
            walks = {(kind,): 1} | {(*walk, kind): count for walk, count in walks.items()}
            _add(counts, walks)
            walks = {walk: count for walk, count in walks.items() if len(walk) < LENGTH}
        ends.append(walks)
    return counts


def _add(counted: LayerNgrams, walks: LayerNgrams) -> None:
    for walk, count in walks.items():  # Counter.update takes three times as long
        counted[walk] = counted.get(walk, 0) + count


def _used(graph: Graph) -> list[bool]:
    """Return for each node whether the logits depend on it."""
    used = [False] * len(graph.nodes)
    used[graph.outputs[0]] = True
    for position, node in reversed(list(enumerate(graph.nodes))):
        used[position] = used[position] and not isinstance(node.op, Zero)
        for before in node.inputs if used[position] else ():
            used[before] = True
    return used


def _together(ends: list[LayerNgrams]) -> LayerNgrams:
    if len(ends) == 1:
        return ends[0]
    joined: LayerNgrams = {}
    for walks in ends:
        _add(joined, walks)
    return joined


@lru_cache(maxsize=65_536)
def _kind(op: Op, image: Shape, shape: Shape) -> str:
    """Return the kind of a layer; empty for a layer that is skipped."""
    if isinstance(op, Input):
        return "image"
    assert isinstance(op, Layer)
    window = op.sliding_window()
    if not window and not op.weighted:
        return ""
    smaller = round(log2(image[-1] / shape[-1])) if len(shape) > 1 else ""
    kernel, grouped = window.kernel if window else "", "g" if op.values().get("groups", 1) > 1 else ""
    return f"{type(op).__name__}{kernel}{grouped}@{smaller}"
