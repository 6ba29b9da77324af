"""The names of attributes and arguments in generated source, as a person would choose them."""

import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from nas.genome.graph import Graph, PlacedOp
from nas.genome.node_names import snake
from nas.genome.op_kinds import Layer, Primitive
from nas.model.body import Argument
from nas.model.forward import ForwardStep

APART = {"kernel_size", "kernel", "stride", "padding", "repeats", "depth", "p", "dropout", "eps", "epsilon"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of __init__: its name and type, the positions of the arguments it fills, and its default if any."""

    name: str
    kind: str
    positions: tuple[int, ...]
    default: Any = None


def attributes(graph: Graph, plan: Sequence[ForwardStep], inner: bool) -> list[str | None]:
    """Return an attribute for each step that holds state: conv1, norm1, shortcut, stage2, head."""
    bases = [_base(graph, step, inner) for step in plan]
    counts, seen, names = Counter(bases), Counter[str | None](), []
    for base in bases:
        seen[base] += 1
        names.append(base if base is None or counts[base] == 1 else f"{base}{seen[base]}")
    return names


def _base(graph: Graph, step: ForwardStep, inner: bool) -> str | None:
    node = graph.nodes[step.output]
    if len(step.nodes) > 1 and not inner:
        return "stage"
    if isinstance(node.op, Layer) and node.op.module(*node.placed.inputs) is None:
        return None
    plain = snake(node.op.stable_name())
    if inner and not re.fullmatch(rf"{plain}_\d+", node.name) and re.fullmatch(r"[a-z][a-z0-9_]*", node.name):
        return node.name  # named in the primitive
    if len(step.nodes) > 1:
        return "layers"
    return (node.op.role if isinstance(node.op, Primitive) else "") or plain


def parameters(uses: Sequence[PlacedOp], rows: Sequence[Sequence[Argument]]) -> list[Parameter]:
    """Return the parameters of a class used several times: one for each group of arguments that vary together.

    `rows` are the arguments of each use. Numbers of channels may vary together in any role; other roles only among
    themselves: a padding is not a number of repeats, even where the two are equal.
    """
    together: dict[tuple[Any, ...], list[int]] = {}
    for position, argument in enumerate(rows[0]):
        column = tuple([(type(row[position].value).__name__, row[position].value) for row in rows])
        if len(set(column)) > 1:
            apart = argument.role if argument.role in APART else ""
            together.setdefault((apart, column), []).append(position)
    named: list[Parameter] = []
    for (_, column), positions in together.items():
        values = [value for _, value in column]
        kinds = sorted({_kind(value) for value in values})
        name = unused(_argument(uses, values, rows[0][positions[0]].role), {parameter.name for parameter in named})
        defaults = {rows[0][position].default for position in positions}
        default = defaults.pop() if len(defaults) == 1 else None
        named.append(Parameter(name, " | ".join(kinds), tuple(positions), default))
    return named


def unused(name: str, taken: Container[str]) -> str:
    """Return the name, with the first number from 2 on that makes it a new one if it is taken."""
    return next(each for each in chain([name], (f"{name}{i}" for i in count(2))) if each not in taken)


def _kind(value: Any) -> str:
    return f"tuple[{', '.join(map(_kind, value))}]" if isinstance(value, tuple) else type(value).__name__


def _argument(uses: Sequence[PlacedOp], values: list[Any], role: str) -> str:
    before = [use.inputs[0][0] for use in uses]
    after = [use.shape[0] for use in uses]
    if values == before and role not in APART:
        return "channels" if before == after else "in_channels"
    fields = [name for name in uses[0].op.values() if [use.op.values()[name] for use in uses] == values]
    if fields:
        return role if role in fields else fields[0]
    if role in APART:
        return role
    if values == after:
        return "out_channels"
    return "middle_channels" if role in ("in_channels", "out_channels", "num_features") else role
