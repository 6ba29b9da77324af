"""What a person would call the parts: attributes, arguments."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas.genome.graph import Graph, Op, Shape
from nas.genome.node_names import snake
from nas.genome.op_kinds import Layer, Primitive
from nas.model.body import Slot
from nas.model.forward import Step

APART = {"kernel_size", "kernel", "stride", "padding", "groups", "repeats", "depth", "p", "dropout", "eps", "epsilon"}


@dataclass(frozen=True)
class Parameter:
    """An argument of a class: its name, its type, the slots of __init__ it fills, its default if it has one."""

    name: str
    kind: str
    slots: tuple[int, ...]
    default: Any = None


def attributes(graph: Graph, plan: Sequence[Step], inner: bool) -> list[str | None]:
    """An attribute for each step that holds state: conv1, norm1, shortcut, stage2, head."""
    bases = [_base(graph, step, inner) for step in plan]
    counts, seen, names = Counter(bases), Counter[str | None](), []
    for base in bases:
        seen[base] += 1
        names.append(base if base is None or counts[base] == 1 else f"{base}{seen[base]}")
    return names


def _base(graph: Graph, step: Step, inner: bool) -> str | None:
    node = graph.nodes[step.output]
    if len(step.nodes) > 1 and not inner:
        return "stage"
    if isinstance(node.op, Layer) and node.op.module(*graph.shapes(node)) is None:
        return None
    plain = snake(node.op.stable_name())
    if inner and not re.fullmatch(rf"{plain}_\d+", node.name) and re.fullmatch(r"[a-z][a-z0-9_]*", node.name):
        return node.name  # given by the primitive's author
    if len(step.nodes) > 1:
        return "layers"
    return (node.op.role if isinstance(node.op, Primitive) else "") or plain


def parameters(uses: Sequence[tuple[Op, tuple[Shape, ...]]], rows: Sequence[Sequence[Slot]]) -> list[Parameter]:
    """The arguments of a class used several times: one for each group of slots that vary together.

    Numbers of channels may vary together in whatever role; other roles only among themselves, as a padding is no
    number of repeats even where the two agree.
    """
    together: dict[tuple[Any, ...], list[int]] = {}
    for place, slot in enumerate(rows[0]):
        column = tuple([(type(row[place].value).__name__, row[place].value) for row in rows])
        if len(set(column)) > 1:
            apart = slot.role if slot.role in APART else ""
            together.setdefault((apart, column), []).append(place)
    named: list[Parameter] = []
    for (_, column), places in together.items():
        values = [value for _, value in column]
        kinds = sorted({_kind(value) for value in values})
        name = _argument(uses, values, rows[0][places[0]].role)
        taken = {parameter.name for parameter in named}
        name = next(n for n in (name, *(f"{name}{i}" for i in range(2, 10_000))) if n not in taken)
        defaults = {rows[0][place].default for place in places}
        default = defaults.pop() if len(defaults) == 1 else None
        named.append(Parameter(name, " | ".join(kinds), tuple(places), default))
    return named


def _kind(value: Any) -> str:
    return "tuple[int, int]" if isinstance(value, tuple) else type(value).__name__


def _argument(uses: Sequence[tuple[Op, tuple[Shape, ...]]], values: list[Any], role: str) -> str:
    before = [shapes[0][0] for _, shapes in uses]
    after = [op.shape(*shapes)[0] for op, shapes in uses]
    if values == before and role not in APART:
        return "channels" if before == after else "in_channels"
    fields = [name for name in uses[0][0].values() if [op.values()[name] for op, _ in uses] == values]
    if fields:
        return role if role in fields else fields[0]
    if role in APART:
        return role
    if values == after:
        return "out_channels"
    return "middle_channels" if role in ("in_channels", "out_channels", "num_features") else role
