"""A network as a flat, ordered, single-assignment list of named ops.

While it is built, an op called on `Value`s gives a `Value`, and a wrong shape raises on that line of the search space;
`Graph.of` freezes all that reaches an output into `Node`s. Cost, source text, torch module, drawing, edits and
fingerprint are all computed from the frozen list.
"""

import itertools
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache, cached_property, lru_cache
from math import prod
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple, get_type_hints

from nas.errors import GenomeError, ShapeError
from nas.genome.hyperparameters import Check, compile_check, short_repr
from nas.genome.interning import Interning
from nas.genome.node_names import node_names

Shape = tuple[int, ...]
"""The shape of one sample: (channels, height, width) or (features,). The batch is never part of it."""


class Node(NamedTuple):
    """A named op of a frozen graph, and the positions of its inputs in the list."""

    name: str
    placed: "PlacedOp"
    inputs: tuple[int, ...]

    @property
    def op(self) -> "Op":
        return self.placed.op

    @property
    def shape(self) -> Shape:
        """Output shape."""
        return self.placed.shape


@dataclass(frozen=True)
class Graph:
    """A frozen network: nodes in order, each reading only earlier ones.

    `outputs[0]` is the classifier; the others are auxiliary heads.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    @classmethod
    def of(cls, main: "Value", *auxiliary: "Value") -> "Graph":
        """Freeze all values that reach an output; a value without a name gets one made from its op.

        Raises GenomeError when two values have the same name.
        """
        kept = _reached((main, *auxiliary))
        position = {id(value): i for i, value in enumerate(kept)}
        names = node_names([value.name for value in kept], [value.op.stable_name() for value in kept])
        nodes = [
            Node(name, value.placed, tuple([position[id(i)] for i in value.inputs]))
            for name, value in zip(names, kept, strict=True)
        ]
        return cls(tuple(nodes), tuple([position[id(value)] for value in (main, *auxiliary)]))

    @cached_property
    def main(self) -> "Graph":
        """Return the graph used at evaluation, without auxiliary heads."""
        return self if len(self.outputs) == 1 else Graph.of(self.to_values()[self.outputs[0]])

    @property
    def input(self) -> Shape:
        """Shape of the input image."""
        return self.nodes[0].shape

    def to_values(self) -> list["Value"]:
        """Return a value for every node, to build another graph from."""
        values: list[Value] = []
        for node in self.nodes:
            values.append(node.op(*(values[i] for i in node.inputs), name=node.name))
        return values


class Value:
    """An op applied to values, while a network is built. Its shape is computed at once.

    Raises ShapeError when the op does not take these inputs.
    """

    __slots__ = ("inputs", "name", "op", "placed", "serial", "shape")
    _serial = itertools.count()

    shape: Shape

    def __init__(self, op: "Op", inputs: tuple["Value", ...] = (), name: str | None = None) -> None:
        if len(inputs) != op.arity and (op.arity is not None or len(inputs) < 2):
            needs = "two or more" if op.arity is None else op.arity
            raise op.shape_error(f"takes {needs} inputs, not {len(inputs)}", *(v.shape for v in inputs))
        self.op, self.inputs, self.name = op, inputs, name
        self.placed = place_op(op, tuple([value.shape for value in inputs]))
        self.shape = self.placed.shape
        self.serial = next(Value._serial)

    def __add__(self, other: "Value") -> "Value":
        return OPS["Add"]()(self, other)

    def __mul__(self, other: "Value") -> "Value":
        return OPS["Mul"]()(self, other)

    def __repr__(self) -> str:
        return f"<{self.op} {self.shape}>"


class Tally(NamedTuple):
    """What one op adds to the counts of a network, given its input shapes."""

    params: int
    macs: int
    activations: int
    layers: int
    reach: tuple[int, ...]  # weighted layers on the longest path from each input to the output


class PlacedOp:
    """An op on inputs of given shapes: the shape and elements of its output and, for a primitive, its body.

    Equal ones are one object, so it also keeps what is computed from it once: its counts (`tally`), the peak memory
    inside a primitive (`peaks`, by which inputs are freed and which are the same), and the `certificates` of a
    primitive's layers.
    """

    __slots__ = ("body", "certificates", "inputs", "op", "peaks", "shape", "size", "tally")

    shape: Shape

    def __init__(self, op: "Op", inputs: tuple[Shape, ...]) -> None:
        self.op, self.inputs = op, inputs
        self.body = op.body(*inputs)
        self.shape = op.shape(*inputs) if self.body is None else self.body.nodes[self.body.outputs[0]].shape
        self.size = prod(self.shape)
        self.tally: Tally | None = None
        self.peaks: dict[tuple[tuple[bool, ...], tuple[int, ...]], int] = {}
        self.certificates: list[bytes] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlacedOp) and self.op == other.op and self.inputs == other.inputs

    def __hash__(self) -> int:
        return hash((self.op, self.inputs))

    def __reduce__(self) -> tuple[Any, ...]:
        return place_op, (self.op, self.inputs)


@lru_cache(maxsize=65_536)
def place_op(op: "Op", inputs: tuple[Shape, ...]) -> PlacedOp:
    """Return the one object for an op on these input shapes. Raises ShapeError when they do not fit."""
    return PlacedOp(op, inputs)


OPS: dict[str, type["Op"]] = {}
"""Every op by name; defining a class registers it."""
FORMER_OPS: dict[str, type["Op"]] = {}
"""Renamed ops by their former names."""


@dataclass(frozen=True)
class Op(metaclass=Interning):
    """A documented operation. Its dataclass fields are its hyperparameters, checked at construction.

    Raises GenomeError when a hyperparameter is out of its range.
    """

    arity: ClassVar[int | None] = 1  # number of inputs; None: two or more
    later_fields: ClassVar[tuple[str, ...]] = ()  # added to an op of earlier versions; see `stable_values`
    former_name: ClassVar[str] = ""  # of a renamed op: still read from genomes, and kept where files depend on it

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__hash__ = Op.__hash__  # type: ignore[method-assign]  # the cached one, not the dataclass's own
        if not abstract:
            known = OPS.get(cls.__name__)
            if known and (cls.__module__, known.__module__) != ("__main__", "__main__"):  # a notebook's cell, run again
                raise TypeError(f"an op named {cls.__name__} exists already in {known.__module__}; choose another name")
            OPS[cls.__name__] = cls
            if cls.former_name:
                FORMER_OPS[cls.former_name] = cls

    def __post_init__(self) -> None:
        given = self.__dict__
        try:
            for name, check in checks(type(self)).items():
                given[name] = check(given[name])
        except ValueError as problem:
            value = short_repr(given[name])
            raise GenomeError(f"{type(self).__name__}: `{name}` (={value}) must be {problem}") from None

    def __hash__(self) -> int:
        given = self.__dict__
        if "_hash" not in given:
            given["_hash"] = hash((type(self), *given.values()))
        return given["_hash"]  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.values().values())

    def __str__(self) -> str:
        shown: list[str] = []
        for spec in fields(self):
            value = getattr(self, spec.name)
            if spec.default is MISSING:
                shown.append(f"{value}" if len(shown) < 2 else f"{spec.name}={value}")
            elif value != spec.default:
                shown.append(f"{spec.name}={value}")
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def stable_name(cls) -> str:
        """Return the name in fingerprints, node names and weight files: it never changes."""
        return cls.former_name or cls.__name__

    def values(self) -> dict[str, Any]:
        """Return the hyperparameters by name, in order."""
        return {name: getattr(self, name) for name in checks(type(self))}

    def stable_values(self) -> dict[str, Any]:
        """Return the hyperparameters in fingerprints and genome files.

        Later fields at their default are left out, so that the networks of earlier versions keep both.
        """
        given = self.values()
        for spec in fields(self) if self.later_fields else ():
            if spec.name in self.later_fields and given[spec.name] == spec.default:
                del given[spec.name]
        return given

    def __call__(self, *inputs: Value, name: str | None = None) -> Value:
        return Value(self, inputs, name)

    @abstractmethod
    def shape(self, *inputs: Shape) -> Shape:
        """Return the output shape for these input shapes. Raises ShapeError when they do not fit."""

    def body(self, *inputs: Shape) -> Graph | None:
        """Return the op written out one level for these input shapes; None unless it is a primitive."""
        return None

    def shape_error(self, problem: str, *inputs: Shape) -> ShapeError:
        """Return the error for input shapes that do not fit."""
        return ShapeError(f"{self} on {', '.join(map(str, inputs)) or 'nothing'}: {problem}")


@cache
def checks(op: type[Op]) -> dict[str, Check]:
    """Return the compiled check of every hyperparameter of an op class, in order."""
    hints = get_type_hints(op, include_extras=True)
    return {spec.name: compile_check(hints[spec.name]) for spec in fields(op)}


def _reached(outputs: tuple[Value, ...]) -> list[Value]:
    seen: dict[int, Value] = {}
    waiting = list(outputs)
    while waiting:
        value = waiting.pop()
        if id(value) not in seen:
            seen[id(value)] = value
            waiting.extend(value.inputs)
    return sorted(seen.values(), key=attrgetter("serial"))  # an input is always made before its reader


def own_blocks(graph: Graph) -> set[type[Op]]:
    """Return the ops of a graph that are not this package's."""
    return {type(node.op) for node in graph.nodes if not is_bundled(node.op)}


def is_bundled(op: Op) -> bool:
    """Return whether an op is this package's."""
    return type(op).__module__.startswith("nas.")


def lower(graph: Graph, kept: Callable[[Op], bool] = lambda _: False) -> Graph:
    """Return the same network with every primitive written out in layers, but for those that are kept."""
    nodes: list[Node] = []
    positions: list[int] = []
    for node in graph.nodes:
        positions.append(write_out(node.placed, node.name, [positions[i] for i in node.inputs], nodes, kept))
    return Graph(tuple(nodes), tuple([positions[i] for i in graph.outputs]))


def write_out(
    placed: PlacedOp, name: str, inputs: list[int], nodes: list[Node], kept: Callable[[Op], bool] = lambda _: False
) -> int:
    """Append an op's layers to the list and return the position of its output."""
    if placed.body is None or kept(placed.op):
        nodes.append(Node(name, placed, tuple(inputs)))
        return len(nodes) - 1
    positions = inputs
    for node in placed.body.nodes[len(inputs) :]:
        inner = [positions[i] for i in node.inputs]
        positions.append(write_out(node.placed, f"{name}.{node.name}", inner, nodes, kept))
    return positions[placed.body.outputs[0]]
