"""The one emitter: a genome as the Python source of its network, as a person would write it.

Each kind of block becomes one class, whatever differs between its uses becoming arguments; a run of equal blocks
becomes one `nn.Sequential`; the network composes them. This text is what trains and what is exported. Names come
from the toolkit's own classes, never from a genome file, so no genome can smuggle text into it.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nas.genome.cost import cost
from nas.genome.graph import Call, Graph, Layer, Primitive, Shape, expansion
from nas.model.forward import Step, forward, steps
from nas.model.naming import attributes, parameters

Application = tuple[Primitive, tuple[Shape, ...]]
WIDTH = 110


@dataclass(frozen=True)
class Run:
    """Blocks of one class in a row, every argument constant or growing by a constant step."""

    target: str
    starts: tuple[tuple[str, Any], ...]
    steps: tuple[int, ...]
    count: int


Piece = Call | Run
Line = tuple[str, tuple[Piece, ...]]  # an attribute and what it is made of; several pieces are a sequence


@dataclass(frozen=True)
class Body:
    """A block before its arguments have names: what __init__ makes and what forward does with it."""

    lines: tuple[Line, ...]
    forward: tuple[str, ...]

    def pieces(self) -> Iterator[Piece]:
        for _, pieces in self.lines:
            yield from pieces

    def slots(self) -> list[tuple[str, Any]]:
        """Every value written in __init__, with the role it plays there."""
        found: list[tuple[str, Any]] = []
        for piece in self.pieces():
            if isinstance(piece, Call):
                found += piece.args
                found += [(keyword, value) for keyword, value, _ in piece.options]
            else:
                found += piece.starts
                found += [(f"{role}_step", step) for (role, _), step in zip(piece.starts, piece.steps, strict=True)]
                found.append(("repeats", piece.count))
        return found

    def shape(self) -> tuple[Any, ...]:
        """What two bodies must share to be written as one class."""
        kinds = [
            (attribute, tuple((type(piece).__name__, piece.target) for piece in pieces))
            for attribute, pieces in self.lines
        ]
        return (*kinds, self.forward)


class Writer:
    """Collects the blocks of one network, from the innermost outwards, and writes each kind once."""

    def __init__(self) -> None:
        self.classes: list[str] = []
        self.made: dict[Application, Call] = {}
        self.taken: set[str] = {"Network"}

    def write(self, graph: Graph) -> None:
        """All blocks of the graph; afterwards `made` says how to construct each."""
        heights: dict[Application, int] = {}
        _collect(graph, heights)
        by_height = sorted(heights, key=lambda application: heights[application])
        for _, level in groupby(by_height, key=lambda application: heights[application]):
            kinds: dict[tuple[Any, ...], list[tuple[Application, Body]]] = {}
            for op, shapes in level:
                body = self.body(expansion(op, shapes), inner=True)
                kinds.setdefault((op.label(*shapes), body.shape()), []).append(((op, shapes), body))
            for (label, *_), uses in kinds.items():
                self._block(self._name(label), uses)

    def _name(self, label: str) -> str:
        name = next(n for n in (label, *(f"{label}{i}" for i in range(2, 10_000))) if n not in self.taken)
        self.taken.add(name)
        return name

    def body(self, graph: Graph, inner: bool) -> Body:
        plan = steps(graph)
        names = attributes(graph, plan, inner)
        made = [(name, self._pieces(graph, step, inner)) for name, step in zip(names, plan, strict=True)]
        lines = tuple((name, pieces) for name, pieces in made if name is not None)
        return Body(lines, tuple(forward(graph, plan, names, inner)))

    def _pieces(self, graph: Graph, step: Step, inner: bool) -> tuple[Piece, ...]:
        calls: list[Call] = []
        for place in step.nodes:
            node = graph.nodes[place]
            shapes = graph.shapes(node)
            if isinstance(node.op, Primitive):
                calls.append(self.made[node.op, shapes])
            elif isinstance(node.op, Layer) and (call := node.op.module(*shapes)):
                calls.append(call)
        return tuple(_runs(calls, inner)) if len(step.nodes) > 1 else tuple(calls)

    def _block(self, name: str, uses: list[tuple[Application, Body]]) -> None:
        bodies = [body for _, body in uses]
        given = parameters([application for application, _ in uses], [body.slots() for body in bodies])
        for application, body in uses:
            values = [value for _, value in body.slots()]
            self.made[application] = Call(name, tuple((p.name, values[p.slots[0]]) for p in given))
        where = {slot: p.name for p in given for slot in p.slots}
        signature = ", ".join(["self", *(f"{p.name}: {p.kind}" for p in given)])
        op = uses[0][0][0]
        inputs = len(uses[0][0][1])
        self.classes.append(class_text(name, summary(op), signature, bodies, where, inputs, "Tensor"))


def _collect(graph: Graph, heights: dict[Application, int]) -> int:
    """Every block under the graph with how many levels of blocks lie inside it."""
    height = 0
    for node in graph.nodes:
        if isinstance(node.op, Primitive):
            application = node.op, graph.shapes(node)
            if application not in heights:
                heights[application] = _collect(expansion(*application), heights)
            height = max(height, heights[application] + 1)
    return height


def _runs(calls: Sequence[Call], inner: bool) -> Iterator[Piece]:
    """Fold equal blocks in a row.

    Inside a block the first is kept apart from the rest, so that stacks of every depth share one class; in the
    network three equal blocks are worth a fold.
    """
    if inner and len(set(calls[1:])) == 1:
        yield from (calls[0], Run(calls[1].target, calls[1].args, (0,) * len(calls[1].args), len(calls) - 1))
        return
    start = 0
    while start < len(calls):
        end = start + 1
        while end < len(calls) and _progression(calls[start : end + 1]):
            end += 1
        chunk = calls[start:end]
        if len(chunk) >= 3:
            pairs = zip(chunk[0].args, chunk[1].args, strict=True)
            yield Run(chunk[0].target, chunk[0].args, tuple(_delta(a, b) for (_, a), (_, b) in pairs), len(chunk))
            start = end
        else:
            yield chunk[0]
            start += 1


def _delta(a: Any, b: Any) -> int:
    return b - a if type(a) is int and type(b) is int else 0


def _progression(calls: Sequence[Call]) -> bool:
    first, second = calls[0], calls[1]
    if any(call.target != first.target for call in calls):
        return False
    for position, (_, start) in enumerate(first.args):
        step = _delta(start, second.args[position][1])
        for i, call in enumerate(calls):
            value = call.args[position][1]
            if value != (start + step * i if type(start) is int and step else start):
                return False
    return True


def summary(op: Primitive) -> str:
    """The first line of a primitive's docstring: what it is and where it comes from."""
    return (type(op).__doc__ or "").strip().splitlines()[0]


def class_text(
    name: str, doc: str, signature: str, bodies: list[Body], where: dict[int, str], inputs: int, returns: str
) -> str:
    """A whole class. `bodies` are its uses; `where` maps the slots that differ between them to argument names."""
    tensors = ", ".join(f"{variable}: Tensor" for variable in "xyzuvw"[:inputs])
    made = "\n".join(_init_lines(bodies, where))
    code = f'class {name}(nn.Module):\n    """{doc}"""\n\n'
    if made:
        code += f"    def __init__({signature}) -> None:\n        super().__init__()\n"
        code += textwrap.indent(made, " " * 8) + "\n\n"
    code += f"    def forward(self, {tensors}) -> {returns}:\n"
    return code + textwrap.indent("\n".join(bodies[0].forward), " " * 8) + "\n"


def _init_lines(bodies: list[Body], where: dict[int, str]) -> Iterator[str]:
    slot = 0
    rows = [[value for _, value in body.slots()] for body in bodies]

    def written(default: Any = None) -> str | None:
        """The next slot as an argument's name or a literal; None when every use has the default."""
        nonlocal slot
        place, slot = slot, slot + 1
        if place in where:
            return where[place]
        value = rows[0][place]
        return None if default is not None and value == default else repr(value)

    for attribute, pieces in bodies[0].lines:
        parts = []
        for piece in pieces:
            if isinstance(piece, Call):
                arguments = [str(written()) for _ in piece.args]
                options = [(keyword, written(default)) for keyword, _, default in piece.options]
                arguments += [f"{keyword}={text}" for keyword, text in options if text is not None]
                parts.append(f"{piece.target}({', '.join(arguments)})")
            else:
                starts = [str(written()) for _ in piece.starts]
                grows = [str(written()) for _ in piece.steps]
                arguments = [s if g == "0" else f"{s} + {g} * i" for s, g in zip(starts, grows, strict=True)]
                index = "i" if any(g != "0" for g in grows) else "_"
                made, repeats = f"{piece.target}({', '.join(arguments)})", str(written())
                if index == "_" and repeats in ("1", "2"):
                    parts += [made] * int(repeats)
                else:
                    parts.append(f"*({made} for {index} in range({repeats}))")
        if len(parts) == 1 and not parts[0].startswith("*"):
            yield f"self.{attribute} = {parts[0]}"
        elif len(line := f"self.{attribute} = nn.Sequential({', '.join(parts)})") <= WIDTH - 8:
            yield line
        else:
            yield f"self.{attribute} = nn.Sequential(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def source(graph: Graph, story: str = "") -> str:
    """The network as the text of a Python module that imports only torch.

    The module defines `Network`. At evaluation `forward` maps (batch, *input) to (batch, classes); in training a
    network with auxiliary heads returns a tuple, the classifier first. Raises GenomeError for a graph too large.
    """
    counts = cost(graph)
    writer = Writer()
    writer.write(graph)
    body = writer.body(graph, inner=False)
    shape = " x ".join(map(str, graph.input))
    doc = f"Images of {shape} to {graph.nodes[graph.outputs[0]].shape[0]} class scores."
    returns = "Tensor" if len(graph.outputs) == 1 else "Tensor | tuple[Tensor, ...]"
    classes = [*writer.classes, class_text("Network", doc, "self", [body], {}, 1, returns)]
    code = "\n\n".join(classes)
    head = f"{counts.params:,} parameters, {counts.macs:,} multiply-accumulates per image of {shape}."
    lines = [f'"""{head}', *(["", story.strip()] if story else [])]
    opening = "\n".join(lines) + ('"""' if not story else '\n"""')
    imports = "\n".join(_imports(code))
    return f"{opening}\n\n{imports}\n\n\n{code}"


def _imports(code: str) -> Iterator[str]:
    if "torch." in code:
        yield "import torch"
    yield "from torch import Tensor, nn"
    if "F." in code:
        yield "from torch.nn import functional as F"
