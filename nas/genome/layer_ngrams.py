"""Which layers follow which: a network as a bag of short sequences of layers, whatever it was drawn from.

Two networks that are wired differently by their choices but compute alike share their sequences, as paths do (White et
al. 2021, section 3, "path encoding"), and so do networks that have no choices in common.
"""

from functools import lru_cache
from math import log2

from nas.genome.graph import Graph, Op, Shape, lower
from nas.genome.op_kinds import Input, Layer
from nas.genome.primitives.cells import Zero

LENGTH = 3
LayerNgrams = dict[tuple[str, ...], int]


def layer_ngrams(graph: Graph) -> LayerNgrams:
    """How often up to LENGTH kinds of layers follow one another, by their kinds.

    A kind is what a layer does and how much smaller than the image its output is, such as Conv3@1 on half the image's
    side; the image is one of its own. Joints, norms and activations are passed over, and what a Zero cuts off from
    the image or from the scores is left out.
    """
    main = lower(graph.main)
    found: LayerNgrams = {}
    ends: list[LayerNgrams] = []  # for each node the walks of fewer kinds that lead there
    for node, heard in zip(main.nodes, _heard(main), strict=True):
        walks = _together([ends[place] for place in node.inputs]) if heard else {}
        kind = _kind(node.op, main.nodes[0].shape, node.shape)
        if kind and (walks or not node.inputs):
            walks = {(kind,): 1} | {(*walk, kind): count for walk, count in walks.items()}
            _add(found, walks)
            walks = {walk: count for walk, count in walks.items() if len(walk) < LENGTH}
        ends.append(walks)
    return found


def _add(counted: LayerNgrams, walks: LayerNgrams) -> None:
    for walk, count in walks.items():  # Counter.update takes three times as long
        counted[walk] = counted.get(walk, 0) + count


def _heard(graph: Graph) -> list[bool]:
    """Of each node, whether the scores depend on it."""
    heard = [False] * len(graph.nodes)
    heard[graph.outputs[0]] = True
    for place, node in reversed(list(enumerate(graph.nodes))):
        heard[place] = heard[place] and not isinstance(node.op, Zero)
        for before in node.inputs if heard[place] else ():
            heard[before] = True
    return heard


def _together(ends: list[LayerNgrams]) -> LayerNgrams:
    if len(ends) == 1:
        return ends[0]
    joined: LayerNgrams = {}
    for walks in ends:
        _add(joined, walks)
    return joined


@lru_cache(maxsize=65_536)
def _kind(op: Op, image: Shape, shape: Shape) -> str:
    """Empty of what is passed over."""
    if isinstance(op, Input):
        return "image"
    assert isinstance(op, Layer)
    window = op.sliding_window()
    if not window and not op.weighted:
        return ""
    smaller = round(log2(image[-1] / shape[-1])) if len(shape) > 1 else ""
    return (
        f"{type(op).__name__}{window.kernel if window else ''}{'g' if getattr(op, 'groups', 1) > 1 else ''}@{smaller}"
    )
