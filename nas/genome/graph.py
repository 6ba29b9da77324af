"""A network as a flat, ordered, single-assignment list of named ops.

Written in pencil, kept in ink: calling an op on `Value`s draws the network and reports a wrong shape on the
author's own line; `Graph.of` freezes what reaches an output into `Node`s. Cost, source text, module, drawing,
mutation and identity are all readings of that one list.
"""

import itertools
import re
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import MISSING, dataclass, fields
from functools import cache, cached_property, lru_cache
from math import prod
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple, get_type_hints

from nas.errors import GenomeError, ShapeError
from nas.genome.hyperparameters import Check, Extents, compile_check, shown

Shape = tuple[int, ...]
"""One sample: (channels, height, width) or (features,). The batch is never part of it."""

OPS: dict[str, type["Op"]] = {}
"""Every op by name; defining a class registers it."""
FORMER_OPS: dict[str, type["Op"]] = {}
"""Renamed ops by the name they had."""

_serial = itertools.count()
_allowance: ContextVar[Iterator[int] | None] = ContextVar("allowance", default=None)


class _Kept(ABCMeta):
    """Ops asked for with the same plain hyperparameters are one object, checked and hashed once."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        # A tuple is left out: (1, 2) and (True, 2.0) would be one key, and only the first is legal.
        if PLAIN.issuperset(map(type, args)) and (not kwargs or PLAIN.issuperset(map(type, kwargs.values()))):
            return _made(cls, *args, **kwargs)
        return super().__call__(*args, **kwargs)


PLAIN = frozenset((int, float, bool, str, type(None)))


@lru_cache(maxsize=65_536, typed=True)
def _made(cls: type, *args: Any, **kwargs: Any) -> Any:
    return type.__call__(cls, *args, **kwargs)


@dataclass(frozen=True)
class Op(metaclass=_Kept):
    """A documented operation. Its dataclass fields are its hyperparameters, checked at construction."""

    arity: ClassVar[int | None] = 1  # how many inputs it takes; None: two or more
    former_name: ClassVar[str] = ""  # of a renamed op: still read in genomes, and kept where files depend on the name

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__hash__ = Op.__hash__  # type: ignore[method-assign]  # the cached one, not the dataclass's own
        if not abstract:
            if cls.__name__ in OPS:
                raise TypeError(f"an op named {cls.__name__} exists already in {OPS[cls.__name__].__module__}")
            OPS[cls.__name__] = cls
            if cls.former_name:
                FORMER_OPS[cls.former_name] = cls

    def __post_init__(self) -> None:
        given = self.__dict__
        try:
            for name, check in checks(type(self)).items():
                given[name] = check(given[name])
        except ValueError as problem:
            raise GenomeError(f"{type(self).__name__}: `{name}` (={shown(given[name])}) must be {problem}") from None

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
        """Return the name that fingerprints, node names and weight files go by: it never changes."""
        return cls.former_name or cls.__name__

    def values(self) -> dict[str, Any]:
        """Field names and values, in order."""
        return {name: getattr(self, name) for name in checks(type(self))}

    def __call__(self, *inputs: "Value", name: str | None = None) -> "Value":
        return Value(self, inputs, name)

    @abstractmethod
    def shape(self, *inputs: Shape) -> Shape:
        """Output shape for these input shapes. Raises ShapeError."""

    def body(self, *inputs: Shape) -> "Graph | None":
        """The op written out one level for these input shapes; None of what is not a primitive."""
        return None

    def shape_error(self, problem: str, *inputs: Shape) -> ShapeError:
        """The error for shapes this op cannot take."""
        return ShapeError(f"{self} on {', '.join(map(str, inputs)) or 'nothing'}: {problem}")


@cache
def checks(op: type[Op]) -> dict[str, Check]:
    """The compiled check of every field of an op class, in order."""
    hints = get_type_hints(op, include_extras=True)
    return {spec.name: compile_check(hints[spec.name]) for spec in fields(op)}


@dataclass(frozen=True)
class Call:
    """A constructor call in generated source.

    `args` are (role, value), written by position; `options` are (keyword, value, default), left out at the default.
    """

    target: str
    args: tuple[tuple[str, Any], ...] = ()
    options: tuple[tuple[str, Any, Any], ...] = ()


class Layer(Op, abstract=True):
    """An op that torch computes in one call: the only kind with weights, MACs and source text. Final."""

    forward: ClassVar[str] = "{self}({0})"  # the expression; {0}, {1} the inputs, {all} their list, {self} the module
    weighted: ClassVar[bool] = False  # counts as a layer of depth; its outputs count as activations
    commutes: ClassVar[bool] = False  # the order of inputs is of no account
    torch_class_source: ClassVar[str] = (
        ""  # the torch module it needs and torch lacks: a class of its name, written once a file
    )

    def params(self, *inputs: Shape) -> int:
        """Trainable parameters."""
        return 0

    def macs(self, *inputs: Shape) -> int:
        """Multiply-accumulates of one sample; convolutions and linear layers only."""
        return 0

    def module(self, *inputs: Shape) -> Call | None:
        """The torch module that holds this layer's state, if it has one."""
        return None


class Primitive(Op, abstract=True):
    """A documented building block, written out in layers by its one rule. Final.

    Its docstring cites the paper's figure or section. `expand` applies at least one layer and uses every input.
    """

    role: ClassVar[str] = ""  # what a person would call the attribute that holds it: "stem", "head"

    @abstractmethod
    def expand(self, *inputs: "Value") -> "Value":
        """The block, drawn from its inputs."""

    def shape(self, *inputs: Shape) -> Shape:
        return place_op(self, inputs).shape

    def body(self, *inputs: Shape) -> "Graph":
        drawn = [Input(shape)(name=f"input_{i}") for i, shape in enumerate(inputs)]
        body = Graph.of(self.expand(*drawn))
        if [node.name for node in body.nodes[: len(inputs) + 1] if not node.inputs] != [v.name for v in drawn]:
            raise self.shape_error("its expansion must use every input and apply a layer", *inputs)
        return body

    def class_name(self, *inputs: Shape) -> str:
        """The class name of this variant in generated source."""
        return type(self).__name__


@dataclass(frozen=True)
class Input(Op):
    """Where the image enters: (channels, height, width), or (features,)."""

    extents: Extents

    arity = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.extents) not in (1, 3):
            raise GenomeError(f"Input: `extents` (={self.extents}) must be (channels, height, width) or (features,)")

    def shape(self, *inputs: Shape) -> Shape:
        if inputs:
            raise self.shape_error("takes no input", *inputs)
        return self.extents


class PlacedOp:
    """An op on inputs of certain shapes: its output's shape and elements and, of a primitive, the body in one level.

    Equal ones are one object, so what is read of it once may be kept in `memo`, by who read it.
    """

    __slots__ = ("body", "inputs", "memo", "op", "shape", "size")

    shape: Shape

    def __init__(self, op: Op, inputs: tuple[Shape, ...]) -> None:
        self.op, self.inputs = op, inputs
        self.body = op.body(*inputs)
        self.shape = op.shape(*inputs) if self.body is None else self.body.nodes[self.body.outputs[0]].shape
        self.size = prod(self.shape)
        self.memo: dict[object, Any] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlacedOp) and self.op == other.op and self.inputs == other.inputs

    def __hash__(self) -> int:
        return hash((self.op, self.inputs))

    def __reduce__(self) -> tuple[Any, ...]:
        return place_op, (self.op, self.inputs)


@lru_cache(maxsize=65_536)
def place_op(op: Op, inputs: tuple[Shape, ...]) -> PlacedOp:
    """The one object for an op on these input shapes. Raises ShapeError where they do not fit."""
    return PlacedOp(op, inputs)


class Value:
    """Pencil: an op applied to values. Its shape is known at once, so a misfit shows on the author's line."""

    __slots__ = ("inputs", "name", "op", "placed", "serial", "shape")

    shape: Shape

    def __init__(self, op: Op, inputs: tuple["Value", ...] = (), name: str | None = None) -> None:
        if len(inputs) != op.arity and (op.arity is not None or len(inputs) < 2):
            needs = "two or more" if op.arity is None else op.arity
            raise op.shape_error(f"takes {needs} inputs, not {len(inputs)}", *(v.shape for v in inputs))
        allowance = _allowance.get()
        if allowance is not None and next(allowance, None) is None:
            raise GenomeError(f"{op}: the network written out is too large")
        self.op, self.inputs, self.name = op, inputs, name
        self.placed = place_op(op, tuple([value.shape for value in inputs]))
        self.shape = self.placed.shape
        self.serial = next(_serial)

    def __add__(self, other: "Value") -> "Value":
        return OPS["Add"]()(self, other)

    def __repr__(self) -> str:
        return f"<{self.op} {self.shape}>"


@contextmanager
def at_most(values: int) -> Iterator[None]:
    """Refuse to draw more than so many values inside: no stranger's genome expands without end."""
    token = _allowance.set(iter(range(values)))
    try:
        yield
    finally:
        _allowance.reset(token)


class Node(NamedTuple):
    """Ink: a named op, and the positions of its inputs in the list."""

    name: str
    placed: PlacedOp
    inputs: tuple[int, ...]

    @property
    def op(self) -> Op:
        return self.placed.op

    @property
    def shape(self) -> Shape:
        """Output shape."""
        return self.placed.shape


@dataclass(frozen=True)
class Graph:
    """Nodes in order, each reading only earlier ones; `outputs[0]` classifies, the rest are auxiliary heads."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    @classmethod
    def of(cls, main: Value, *auxiliary: Value) -> "Graph":
        """Freeze what reaches an output. Names not given are made from the op; a name given twice is refused."""
        kept = _reached((main, *auxiliary))
        place = {id(value): i for i, value in enumerate(kept)}
        nodes = [
            Node(name, value.placed, tuple([place[id(i)] for i in value.inputs]))
            for name, value in zip(_names(kept), kept, strict=True)
        ]
        return cls(tuple(nodes), tuple([place[id(value)] for value in (main, *auxiliary)]))

    @cached_property
    def main(self) -> "Graph":
        """The graph that answers at evaluation: auxiliary heads dropped."""
        return self if len(self.outputs) == 1 else Graph.of(self.to_values()[self.outputs[0]])

    @property
    def input(self) -> Shape:
        """Shape of the image."""
        return self.nodes[0].shape

    def shapes(self, node: Node) -> tuple[Shape, ...]:
        """Input shapes of a node."""
        return node.placed.inputs

    def to_values(self) -> list[Value]:
        """Back to pencil: a value for every node."""
        values: list[Value] = []
        for node in self.nodes:
            values.append(node.op(*(values[i] for i in node.inputs), name=node.name))
        return values


def _reached(outputs: tuple[Value, ...]) -> list[Value]:
    seen: dict[int, Value] = {}
    waiting = list(outputs)
    while waiting:
        value = waiting.pop()
        if id(value) not in seen:
            seen[id(value)] = value
            waiting.extend(value.inputs)
    return sorted(seen.values(), key=attrgetter("serial"))  # an input is always drawn before its reader


@cache
def snake(name: str) -> str:
    """DenseBlock -> dense_block."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _names(values: Sequence[Value]) -> list[str]:
    given = [value.name for value in values if value.name]
    taken = set(given)
    if len(taken) < len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise GenomeError(f"the name {twice!r} is given to two nodes; names must be distinct")
    counters: dict[str, int] = {}
    return [value.name or _made_up(snake(value.op.stable_name()), counters, taken) for value in values]


def _made_up(stem: str, counters: dict[str, int], taken: set[str]) -> str:
    if stem == "input" and stem not in taken:
        return stem
    while True:
        counters[stem] = number = counters.get(stem, 0) + 1
        if (name := f"{stem}_{number}") not in taken:
            return name


def forget() -> None:
    """Drop all that is kept about ops and the shapes they were applied to, as in a new process."""
    place_op.cache_clear()
    _made.cache_clear()


def expansion(op: Primitive, shapes: tuple[Shape, ...]) -> Graph:
    """A primitive written out one level for these input shapes: its first nodes are its inputs, in order."""
    body = place_op(op, shapes).body
    assert body is not None
    return body


def lower(graph: Graph) -> Graph:
    """The same network with every primitive written out in layers."""
    nodes: list[Node] = []
    places: list[int] = []
    for node in graph.nodes:
        places.append(write_out(node.placed, node.name, [places[i] for i in node.inputs], nodes))
    return Graph(tuple(nodes), tuple([places[i] for i in graph.outputs]))


def write_out(placed: PlacedOp, name: str, inputs: list[int], nodes: list[Node]) -> int:
    """Append an op's layers to the list; returns the place of its output."""
    if placed.body is None:
        nodes.append(Node(name, placed, tuple(inputs)))
        return len(nodes) - 1
    places = inputs
    for node in placed.body.nodes[len(inputs) :]:
        places.append(write_out(node.placed, f"{name}.{node.name}", [places[i] for i in node.inputs], nodes))
    return places[placed.body.outputs[0]]
