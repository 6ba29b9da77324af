"""Random edits, for samplers that move from a network to a neighbor."""

import random
from collections.abc import Callable
from math import gcd
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from nas.errors import EditError, GenomeError
from nas.genome.edit import edits
from nas.genome.fingerprint import fingerprint
from nas.genome.graph import Graph, Node, Op
from nas.genome.hyperparameters import Rate, Ratio, Width, Window
from nas.genome.layers import Add, Concat, MaxPool
from nas.genome.primitives.cells import Edges
from nas.genome.primitives.convnext import ConvNeXtBlock
from nas.genome.primitives.dense import DenseLayer
from nas.genome.primitives.gates import ChannelGate, EfficientChannelAttention, SqueezeExcite
from nas.genome.primitives.ghost import GhostBottleneck
from nas.genome.primitives.heads import ConvHead, FcHead, GapHead
from nas.genome.primitives.mobile import DepthwiseSeparable, FusedMBConv, InvertedResidual
from nas.genome.primitives.residual import BasicBlock, Bottleneck
from nas.genome.primitives.shuffle import ShuffleUnit
from nas.genome.primitives.stacks import ConvUnit

MAX_TRIES = 200
GATES = get_args(ChannelGate)
FACTORS = (0.5, 0.75, 1.25, 1.5, 2.0)
Mutation = Callable[[Graph, random.Random], Graph]


def mutate(graph: Graph, rng: random.Random) -> Graph:
    """Return a neighbor: the graph after one random edit, a network for the same task with another fingerprint.

    The same graph and the same state of `rng` give the same neighbor. Raises EditError when none is found.
    """
    before = fingerprint(graph)
    for _ in range(MAX_TRIES):
        try:
            mutant = MUTATIONS[rng.choice(list(MUTATIONS))](graph, rng)
        except GenomeError:
            continue
        if fingerprint(mutant) != before:
            return mutant
    raise EditError(f"none of {MAX_TRIES} random edits gives another network")


def crossover(first: Graph, second: Graph, rng: random.Random) -> Graph:
    """Return the beginning of one network and the end of another, joined where their images have the same size.

    Raises EditError when no such position gives a network.
    """
    grids = {name: _shape(second, name)[1:] for name in edits.cut_names(second.main)[:-1]}
    positions = [
        (here, there)
        for here in edits.cut_names(first.main)[1:-1]
        for there, grid in grids.items()
        if grid == _shape(first, here)[1:]
    ]
    for here, there in rng.sample(positions, len(positions)):
        try:
            return edits.cross(first, second, here, there)
        except GenomeError:
            continue
    raise EditError("there is no position where one network can continue as the other")


def _shape(graph: Graph, name: str) -> tuple[int, ...]:
    return next(node.shape for node in graph.nodes if node.name == name)


def _body(graph: Graph) -> list[Node]:
    """Return the nodes that may be edited: all but the Input and the heads."""
    return [node for position, node in enumerate(graph.nodes) if position and position not in graph.outputs]


def _pick(graph: Graph, rng: random.Random) -> Node:
    nodes = _body(graph)
    if not nodes:
        raise EditError("the network has nothing but a head")
    return rng.choice(nodes)


def _block(channels: int, rng: random.Random) -> Op:
    """Return a block that keeps the size of the image and, except for the dense one, its channels."""
    kinds: list[Callable[[], Op]] = [
        lambda: ConvUnit(channels, rng.choice((1, 3, 5))),
        lambda: BasicBlock(channels),
        lambda: Bottleneck(max(1, channels // 4), expansion=4),
        lambda: Bottleneck(channels, 1, 1, groups=gcd(channels, 4), squeeze=rng.choice((0.0, 0.25))),
        lambda: DenseLayer(max(1, channels // 4)),
        lambda: DepthwiseSeparable(channels, rng.choice((3, 5))),
        lambda: InvertedResidual(channels, rng.choice((2, 3, 6)), rng.choice((3, 5, 7)), gate=rng.choice(GATES)),
        lambda: FusedMBConv(channels, rng.choice((1, 2, 4))),
        lambda: GhostBottleneck(channels, rng.choice((1, 2, 3)), gate=rng.choice(GATES)),
        lambda: ShuffleUnit(max(1, channels // 2), kernel=rng.choice((3, 5, 7))),
        lambda: ConvNeXtBlock(rng.choice((3, 5, 7)), rng.choice((2, 4))),
        lambda: SqueezeExcite(max(1, channels // 4)),
        lambda: EfficientChannelAttention(),
        lambda: MaxPool(3, 1, 1),
    ]
    return rng.choice(kinds)()


def _insert(graph: Graph, rng: random.Random) -> Graph:
    node = _pick(graph, rng)
    return edits.insert(graph, node.name, _block(node.shape[0], rng))


def _remove(graph: Graph, rng: random.Random) -> Graph:
    return edits.remove(graph, _pick(graph, rng).name)


def _replace(graph: Graph, rng: random.Random) -> Graph:
    node = _pick(graph, rng)
    return edits.replace(graph, node.name, _block(node.shape[0], rng))


def _deepen(graph: Graph, rng: random.Random) -> Graph:
    return edits.deepen(graph, _pick(graph, rng).name)


def _widen(graph: Graph, rng: random.Random) -> Graph:
    return edits.widen(graph, _pick(graph, rng).name, rng.choice(FACTORS))


def _scale(graph: Graph, rng: random.Random) -> Graph:
    return edits.scale(graph, rng.choice(FACTORS))


def _add_skip(graph: Graph, rng: random.Random) -> Graph:
    nodes = _body(graph)
    if len(nodes) < 2:
        raise EditError("there are no two nodes to connect by a skip")
    first, second = sorted(rng.sample(range(len(nodes)), 2))
    return edits.add_skip(graph, nodes[first].name, nodes[second].name)


def _add_branch(graph: Graph, rng: random.Random) -> Graph:
    node = _pick(graph, rng)
    return edits.add_branch(graph, node.name, _block(node.shape[0], rng), rng.choice((Add(), Concat())))


def _drop(graph: Graph, rng: random.Random) -> Graph:
    joints = [node for node in _body(graph) if isinstance(node.op, Add | Concat)]
    if not joints:
        raise EditError("there is no skip or branch to drop")
    node = rng.choice(joints)
    return edits.drop(graph, node.name, rng.randrange(len(node.inputs)))


def _swap_head(graph: Graph, rng: random.Random) -> Graph:
    classes = graph.nodes[graph.outputs[0]].shape[0]
    heads = [GapHead(classes), ConvHead(classes), FcHead(classes, (64,)), FcHead(classes, (128,))]
    return edits.swap_head(graph, rng.choice(heads))


def _vary(graph: Graph, rng: random.Random) -> Graph:
    node = _pick(graph, rng)
    hints = get_type_hints(type(node.op), include_extras=True)
    free = [name for name in node.op.values() if name not in edits.NOT_WIDTHS]
    if not free:
        raise EditError(f"{node.op} has no hyperparameter to vary")
    field = rng.choice(free)
    return edits.change(graph, node.name, **{field: varied(node.op.values()[field], hints[field], rng)})


def varied(value: Any, kind: Any, rng: random.Random) -> Any:
    """Return another value of a hyperparameter, near the old one if it is a number.

    Raises EditError for a kind that is not varied.
    """
    if kind == Width:
        return max(1, round(value * rng.choice(FACTORS)))
    number = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if (kind == Window or number is int) and type(value) is int:
        return value + rng.choice((-2, 2) if kind == Window and value % 2 else (-1, 1))
    if kind == Rate:
        return round(min(1.0, max(0.0, value + rng.choice((-0.25, -0.1, 0.1, 0.25)))), 3)
    if kind == Ratio:
        return round(min(32.0, max(0.125, value * rng.choice(FACTORS))), 3)
    if kind == Edges:
        return _rewired(value, rng)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal or kind is bool:
        return rng.choice([option for option in arguments or (False, True) if option != value])
    if origin is tuple and value:
        position = rng.randrange(len(value))
        return (*value[:position], varied(value[position], arguments[0], rng), *value[position + 1 :])
    raise EditError(f"hyperparameters of kind {kind} are not varied")


def _rewired(edges: tuple[tuple[int, int], ...], rng: random.Random) -> tuple[tuple[int, int], ...]:
    """Return the edges with one added or removed."""
    end = max(b for _, b in edges)
    pair = tuple(sorted(rng.sample(range(end + 1), 2)))
    return tuple(edge for edge in edges if edge != pair) if pair in edges else (*edges, (pair[0], pair[1]))


MUTATIONS: dict[str, Mutation] = {
    "insert": _insert, "remove": _remove, "replace": _replace, "deepen": _deepen, "widen": _widen, "scale": _scale,
    "add skip": _add_skip, "add branch": _add_branch, "drop": _drop, "swap head": _swap_head, "vary": _vary,
}  # fmt: skip
