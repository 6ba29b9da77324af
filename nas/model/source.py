"""The one emitter: a genome as the Python source of its network, as a person would write it.

Each kind of block becomes one class, whatever differs between its uses becoming arguments; a run of equal blocks
becomes one `nn.Sequential`; the network composes them. This text is what trains and what is exported. Names come
from the toolkit's own classes, never from a genome file, so no genome can smuggle text into it.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from nas.genome.cost import cost
from nas.genome.graph import Graph, Shape
from nas.genome.op_kinds import Call, Layer, Primitive, expansion
from nas.model.body import Body, Piece, RepeatedCall
from nas.model.classes import WIDTH, class_text
from nas.model.forward import Step, forward, steps
from nas.model.naming import attributes, parameters

Application = tuple[Primitive, tuple[Shape, ...]]


class Writer:
    """Collects the blocks of one network, from the innermost outwards, and writes each kind once."""

    def __init__(self) -> None:
        self.helpers: dict[str, str] = {}
        self.classes: dict[str, str] = {}
        self.parts: dict[str, tuple[str, ...]] = {}  # the classes that a class makes
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
                inside = expansion(op, shapes)
                if only := _only_block(inside):
                    self.made[op, shapes] = self.made[only]
                    continue
                body = self.body(inside, inner=True)
                kinds.setdefault((op.class_name(*shapes), body.shape()), []).append(((op, shapes), body))
            for (label, *_), uses in kinds.items():
                self._block(self._name(label), uses)

    def _name(self, label: str) -> str:
        name = next(n for n in (label, *(f"{label}{i}" for i in range(2, 10_000))) if n not in self.taken)
        self.taken.add(name)
        return name

    def body(self, graph: Graph, inner: bool) -> Body:
        plan = steps(graph, inner)
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
                if node.op.torch_class_source:
                    self.helpers[call.target] = node.op.torch_class_source.strip("\n") + "\n"
        return tuple(_runs(calls, inner)) if len(step.nodes) > 1 else tuple(calls)

    def _block(self, name: str, uses: list[tuple[Application, Body]]) -> None:
        bodies = [body for _, body in uses]
        given = parameters([application for application, _ in uses], [body.slots() for body in bodies])
        needed, optional = ([p for p in given if (p.default is None) is wanted] for wanted in (True, False))
        for application, body in uses:
            slots = body.slots()
            args = tuple((p.name, slots[p.slots[0]].value) for p in needed)
            options = tuple((p.name, slots[p.slots[0]].value, p.default) for p in optional)
            self.made[application] = Call(name, args, options)
        (op, shapes), _ = uses[0]
        self.classes[name] = class_text(name, source_summary(op), given, bodies, len(shapes), "Tensor")
        self.parts[name] = bodies[0].targets()

    def in_order(self, targets: Iterable[str]) -> Iterator[str]:
        """The classes as a reader meets them: each after those it is made of, else in order of use."""
        for target in targets:
            if target in self.parts:
                yield from self.in_order(self.parts.pop(target))
                yield self.classes[target]


def _only_block(graph: Graph) -> Application | None:
    """The one block that a block consists of, if it does: a stack of one is written as that one."""
    *inputs, last = graph.nodes
    if isinstance(last.op, Primitive) and last.inputs == tuple(range(len(inputs))):
        return last.op, graph.shapes(last)
    return None


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
        yield from (calls[0], RepeatedCall(calls[1], (0,) * len(calls[1].args), len(calls) - 1))
        return
    start = 0
    while start < len(calls):
        end = start + 1
        while end < len(calls) and _progression(calls[start : end + 1]):
            end += 1
        chunk = calls[start:end]
        if len(chunk) >= 3:
            pairs = zip(chunk[0].args, chunk[1].args, strict=True)
            yield RepeatedCall(chunk[0], tuple(_delta(a, b) for (_, a), (_, b) in pairs), len(chunk))
            start = end
        else:
            yield chunk[0]
            start += 1


def _delta(a: Any, b: Any) -> int:
    return b - a if type(a) is int and type(b) is int else 0


def _progression(calls: Sequence[Call]) -> bool:
    first, second = calls[0], calls[1]
    if any(call.target != first.target or call.options != first.options for call in calls):
        return False
    for position, (_, start) in enumerate(first.args):
        step = _delta(start, second.args[position][1])
        for i, call in enumerate(calls):
            value = call.args[position][1]
            if value != (start + step * i if type(start) is int and step else start):
                return False
    return True


def source_summary(op: Primitive) -> str:
    """The first line of a primitive's docstring: what it is and where it comes from."""
    return (type(op).__doc__ or "").strip().splitlines()[0]


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
    doc = f"Images of {shape} to {graph.nodes[graph.outputs[0]].shape[0]} class scores"
    doc += "; in training also those of the auxiliary heads." if len(graph.outputs) > 1 else "."
    returns = "Tensor" if len(graph.outputs) == 1 else "Tensor | tuple[Tensor, ...]"
    network = class_text("Network", doc, (), [body], 1, returns)
    classes = [*writer.helpers.values(), *writer.in_order(body.targets()), network]
    code = "\n\n".join(classes)
    head = f"{counts.params:,} parameters, {counts.macs:,} multiply-accumulates per image of {shape}."
    opening = f'"""{head}\n\n{_quoted(story)}\n"""' if story else f'"""{head}"""'
    imports = "\n".join(_imports(code))
    return f"{opening}\n\n# mypy: no-warn-return-any\n{imports}\n\n\n{code}"


def _quoted(story: str) -> str:
    """Text that stands inside a docstring whatever it holds."""
    plain = "".join(c if c.isprintable() or c == "\n" else " " for c in story.strip())
    lines = [textwrap.fill(line, WIDTH) for line in plain.splitlines()]
    return "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")


def _imports(code: str) -> Iterator[str]:
    if "torch." in code:
        yield "import torch"
    yield "from torch import Tensor, nn"
    if "F." in code:
        yield "from torch.nn import functional as F"
