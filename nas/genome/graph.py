"""A network as a flat, ordered, single-assignment list of named ops.

Written in pencil, kept in ink: calling an op on `Value`s draws the network and reports a wrong shape on the
author's own line; `Graph.of` freezes what reaches an output into `Node`s. Cost, source text, module, drawing,
mutation and identity are all readings of that one list.
"""

import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, field, fields
from functools import cache, cached_property, lru_cache
from typing import Any, ClassVar, get_type_hints

from nas.errors import GenomeError, ShapeError
from nas.genome.fields import Check, Extents, canonical, compile_check

Shape = tuple[int, ...]
"""One sample: (channels, height, width) or (features,). The batch is never part of it."""

OPS: dict[str, type["Op"]] = {}
"""Every op by name; defining a class registers it."""

_serial = itertools.count()


@dataclass(frozen=True)
class Op(ABC):
    """A documented operation. Its dataclass fields are its hyperparameters, checked at construction."""

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__hash__ = Op.__hash__  # type: ignore[method-assign]  # the cached one, not the dataclass's own
        if not abstract:
            if cls.__name__ in OPS:
                raise TypeError(f"an op named {cls.__name__} exists already in {OPS[cls.__name__].__module__}")
            OPS[cls.__name__] = cls

    def __post_init__(self) -> None:
        for name, check in checks(type(self)).items():
            object.__setattr__(self, name, canonical(type(self).__name__, name, check, getattr(self, name)))

    def __hash__(self) -> int:
        try:
            return self.__dict__["_hash"]  # type: ignore[no-any-return]
        except KeyError:
            value = hash((type(self).__name__, *self.values().values()))
            object.__setattr__(self, "_hash", value)
            return value

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

    def values(self) -> dict[str, Any]:
        """Field names and values, in order."""
        return {name: getattr(self, name) for name in checks(type(self))}

    def __call__(self, *inputs: "Value", name: str | None = None) -> "Value":
        return Value(self, inputs, name)

    @abstractmethod
    def shape(self, *inputs: Shape) -> Shape:
        """Output shape for these input shapes. Raises ShapeError."""

    def refuse(self, problem: str, *inputs: Shape) -> ShapeError:
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
    arity: ClassVar[int | None] = 1  # None: two or more

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
        body = expansion(self, inputs)
        return body.nodes[body.outputs[0]].shape

    def label(self, *inputs: Shape) -> str:
        """The class name of this variant in generated source."""
        return type(self).__name__


@dataclass(frozen=True)
class Input(Op):
    """Where the image enters: (channels, height, width), or (features,)."""

    extents: Extents

    def shape(self, *inputs: Shape) -> Shape:
        if inputs:
            raise self.refuse("takes no input", *inputs)
        return self.extents


class Value:
    """Pencil: an op applied to values. Its shape is known at once, so a misfit shows on the author's line."""

    __slots__ = ("inputs", "name", "op", "serial", "shape")

    shape: Shape

    def __init__(self, op: Op, inputs: tuple["Value", ...] = (), name: str | None = None) -> None:
        arity = op.arity if isinstance(op, Layer) else len(inputs)
        if len(inputs) != arity and not (arity is None and len(inputs) > 1):
            raise op.refuse(f"takes {arity or 'two or more'} inputs, not {len(inputs)}", *(v.shape for v in inputs))
        self.op, self.inputs, self.name = op, inputs, name
        self.shape = op.shape(*[value.shape for value in inputs])
        self.serial = next(_serial)

    def __add__(self, other: "Value") -> "Value":
        return OPS["Add"]()(self, other)

    def __repr__(self) -> str:
        return f"<{self.op} {self.shape}>"


@dataclass(frozen=True)
class Node:
    """Ink: a named op, the positions of its inputs in the list, and its output shape."""

    name: str
    op: Op
    inputs: tuple[int, ...]
    shape: Shape = field(compare=False)


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
        names = _names(kept)
        nodes = tuple(
            Node(name, value.op, tuple(place[id(i)] for i in value.inputs), value.shape)
            for name, value in zip(names, kept, strict=True)
        )
        return cls(nodes, tuple(place[id(value)] for value in (main, *auxiliary)))

    @cached_property
    def main(self) -> "Graph":
        """The graph that answers at evaluation: auxiliary heads dropped."""
        return self if len(self.outputs) == 1 else Graph.of(self.draw()[self.outputs[0]])

    @property
    def input(self) -> Shape:
        """Shape of the image."""
        return self.nodes[0].shape

    def shapes(self, node: Node) -> tuple[Shape, ...]:
        """Input shapes of a node."""
        return tuple([self.nodes[i].shape for i in node.inputs])

    def draw(self) -> list[Value]:
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
    return sorted(seen.values(), key=lambda value: value.serial)  # an input is always drawn before its reader


def snake(name: str) -> str:
    """DenseBlock -> dense_block."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _names(values: Iterable[Value]) -> Iterator[str]:
    values = list(values)
    given = [value.name for value in values if value.name is not None]
    taken = set(given)
    if len(taken) < len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise GenomeError(f"the name {twice!r} is given to two nodes; names must be distinct")
    counters: dict[str, itertools.count[int]] = {}
    for value in values:
        if value.name is not None:
            yield value.name
            continue
        stem = snake(type(value.op).__name__)
        if stem == "input" and stem not in taken:
            yield stem
            continue
        numbers = counters.setdefault(stem, itertools.count(1))
        yield next(name for n in numbers if (name := f"{stem}_{n}") not in taken)


@lru_cache(maxsize=16_384)
def expansion(op: Primitive, shapes: tuple[Shape, ...]) -> Graph:
    """A primitive written out one level for these input shapes: its first nodes are its inputs, in order."""
    inputs = [Input(shape)(name=f"input_{i}") for i, shape in enumerate(shapes)]
    body = Graph.of(op.expand(*inputs))
    if len(body.nodes) <= len(inputs) or any(body.nodes[i].name != v.name for i, v in enumerate(inputs)):
        raise op.refuse("its expansion must use every input and apply a layer", *shapes)
    return body


def lower(graph: Graph) -> Graph:
    """The same network with every primitive written out in layers."""
    values: list[Value] = []
    for node in graph.nodes:
        values.append(_written_out(node.op, [values[i] for i in node.inputs], node.name))
    return Graph.of(*(values[i] for i in graph.outputs))


def _written_out(op: Op, inputs: list[Value], name: str) -> Value:
    if not isinstance(op, Primitive):
        return op(*inputs, name=name)
    body = expansion(op, tuple(value.shape for value in inputs))
    values = list(inputs)
    for node in body.nodes[len(inputs) :]:
        values.append(_written_out(node.op, [values[i] for i in node.inputs], f"{name}.{node.name}"))
    return values[body.outputs[0]]
