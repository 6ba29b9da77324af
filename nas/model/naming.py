"""What a person would call the parts: attributes, arguments."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas.genome.graph import Graph, Layer, Op, Primitive, Shape, snake
from nas.model.forward import Step


@dataclass(frozen=True)
class Parameter:
    """An argument of a class: its name, its type, and the slots of __init__ it fills."""

    name: str
    kind: str
    slots: tuple[int, ...]


def attributes(graph: Graph, plan: Sequence[Step], inner: bool) -> list[str | None]:
    """An attribute for each step that holds state: conv1, norm1, shortcut, stage2, head."""
    bases = [_base(graph, step, inner) for step in plan]
    counts, seen, names = Counter(bases), Counter[str | None](), []
    for base in bases:
        seen[base] += 1
        names.append(base if base is None or counts[base] == 1 else f"{base}{seen[base]}")
    return names


def _base(graph: Graph, step: Step, inner: bool) -> str | None:
    node = graph.nodes[step.nodes[0]]
    if len(step.nodes) > 1:
        return "layers" if inner else "stage"
    if isinstance(node.op, Layer) and node.op.module(*graph.shapes(node)) is None:
        return None
    plain = snake(type(node.op).__name__)
    if inner and not re.fullmatch(rf"{plain}_\d+", node.name) and re.fullmatch(r"[a-z][a-z0-9_]*", node.name):
        return node.name  # given by the primitive's author
    return (node.op.role if isinstance(node.op, Primitive) else "") or plain


def parameters(
    uses: Sequence[tuple[Op, tuple[Shape, ...]]], slots: Sequence[Sequence[tuple[str, Any]]]
) -> list[Parameter]:
    """The arguments of a class used several times: one for each group of slots that vary together."""
    together: dict[tuple[Any, ...], list[int]] = {}
    for place in range(len(slots[0])):
        column = tuple((type(row[place][1]).__name__, row[place][1]) for row in slots)
        if len(set(column)) > 1:
            together.setdefault(column, []).append(place)
    named: list[Parameter] = []
    for column, places in together.items():
        values = [value for _, value in column]
        kinds = sorted({_kind(value) for value in values})
        name = _argument(uses, values, slots[0][places[0]][0])
        taken = {parameter.name for parameter in named}
        name = next(n for n in (name, *(f"{name}{i}" for i in range(2, 10_000))) if n not in taken)
        named.append(Parameter(name, " | ".join(kinds), tuple(places)))
    return named


def _kind(value: Any) -> str:
    return "tuple[int, int]" if isinstance(value, tuple) else type(value).__name__


def _argument(uses: Sequence[tuple[Op, tuple[Shape, ...]]], values: list[Any], role: str) -> str:
    before = [shapes[0][0] for _, shapes in uses]
    after = [op.shape(*shapes)[0] for op, shapes in uses]
    if values == before:
        return "channels" if before == after else "in_channels"
    for name in uses[0][0].values():
        if [op.values()[name] for op, _ in uses] == values:
            return name
    if values == after:
        return "out_channels"
    return "middle_channels" if role in ("in_channels", "out_channels", "num_features") else role
