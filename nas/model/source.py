"""The Python source of a network, written from its genome as a person would write it.

Each kind of block becomes one class, with an argument for whatever differs between its uses; equal blocks in a row
become one `nn.Sequential`; the network composes them. This text is what is trained and what is exported; where a
layer trains in another form, the two differ in its class alone. All names come from the toolkit's own classes, never
from a genome file, so a genome cannot inject text into it.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from nas.genome.cost import cost
from nas.genome.graph import Graph, Op, PlacedOp, Shape
from nas.genome.op_kinds import Call, Layer, Primitive
from nas.model.body import Body, CodeBlock, RepeatedCall
from nas.model.classes import WIDTH, class_text
from nas.model.forward import ForwardStep, forward, forward_steps
from nas.model.naming import attributes, parameters, unused


class SourceWriter:
    """The classes of one network, written once per kind of block, the innermost first.

    training: in the form that trains. folds: whether a layer has one of its own.
    """

    def __init__(self, training: bool = False) -> None:
        self.training, self.folds = training, False
        self.helpers: dict[str, str] = {}
        self.classes: dict[str, str] = {}
        self.parts: dict[str, tuple[str, ...]] = {}  # the classes that a class makes
        self.made: dict[PlacedOp, Call] = {}
        self.taken: set[str] = {"Network"}

    def write(self, graph: Graph) -> None:
        """Write all blocks of the graph; afterwards `made` has the call that constructs each."""
        heights: dict[PlacedOp, int] = {}
        _collect(graph, heights)
        for _, level in groupby(sorted(heights, key=heights.__getitem__), key=heights.__getitem__):
            kinds: dict[tuple[Any, ...], list[tuple[PlacedOp, Body]]] = {}
            for block in level:
                assert isinstance(block.op, Primitive)
                assert block.body is not None
                if only := _only_block(block.body):
                    self.made[block] = self.made[only]
                    continue
                body = self.body(block.body, inner=True)
                kinds.setdefault((block.op.class_name(*block.inputs), body.layout()), []).append((block, body))
            for (class_name, *_), uses in kinds.items():
                self._block(self._name(class_name), uses)

    def _name(self, wanted: str) -> str:
        name = unused(wanted, self.taken)
        self.taken.add(name)
        return name

    def body(self, graph: Graph, inner: bool) -> Body:
        """Return the attributes and the lines of forward; `inner` inside a block."""
        plan = forward_steps(graph, inner)
        names = attributes(graph, plan, inner)
        made = [(name, self._blocks(graph, step, inner)) for name, step in zip(names, plan, strict=True)]
        kept = tuple((name, blocks) for name, blocks in made if name is not None)
        return Body(kept, tuple(forward(graph, plan, names, inner)))

    def _blocks(self, graph: Graph, step: ForwardStep, inner: bool) -> tuple[CodeBlock, ...]:
        calls: list[Call] = []
        for position in step.nodes:
            node = graph.nodes[position]
            if isinstance(node.op, Primitive):
                calls.append(self.made[node.placed])
            elif isinstance(node.op, Layer) and (call := self._layer(node.op, node.placed.inputs)):
                calls.append(call)
        return tuple(_fold_runs(calls, inner)) if len(step.nodes) > 1 else tuple(calls)

    def _layer(self, op: Layer, inputs: tuple[Shape, ...]) -> Call | None:
        """Return the call that makes a layer, and keep the source of its class if torch lacks it."""
        call = used = op.module(*inputs)
        if self.training:
            call = op.training_module(*inputs)
            self.folds |= call != used
        if call and op.torch_class_source and not call.target.startswith("nn."):
            self.helpers[call.target] = op.torch_class_source.strip("\n") + "\n"
        return call

    def _block(self, name: str, uses: list[tuple[PlacedOp, Body]]) -> None:
        blocks, bodies = [block for block, _ in uses], [body for _, body in uses]
        rows = [body.arguments() for body in bodies]
        given = parameters(blocks, rows)
        needed, optional = ([p for p in given if (p.default is None) is wanted] for wanted in (True, False))
        for block, arguments in zip(blocks, rows, strict=True):
            args = tuple((p.name, arguments[p.positions[0]].value) for p in needed)
            options = tuple((p.name, arguments[p.positions[0]].value, p.default) for p in optional)
            self.made[block] = Call(name, args, options)
        summary, inputs = _summary(blocks[0].op), len(blocks[0].inputs)
        self.classes[name] = class_text(name, summary, given, bodies, inputs, "Tensor")
        self.parts[name] = bodies[0].targets()

    def in_order(self, targets: Iterable[str]) -> Iterator[str]:
        """Yield the classes in order of use, each after those it is made of."""
        for target in targets:
            if target in self.parts:
                yield from self.in_order(self.parts.pop(target))
                yield self.classes[target]


def _only_block(graph: Graph) -> PlacedOp | None:
    """Return the only block inside a block, if there is one: a stack of one block is written as that block."""
    *inputs, last = graph.nodes
    return last.placed if last.placed.body and last.inputs == tuple(range(len(inputs))) else None


def _collect(graph: Graph, heights: dict[PlacedOp, int]) -> int:
    """Record every block under the graph with the levels of blocks inside it; return the levels of the graph."""
    height = 0
    for node in graph.nodes:
        if node.placed.body:
            if node.placed not in heights:
                heights[node.placed] = _collect(node.placed.body, heights)
            height = max(height, heights[node.placed] + 1)
    return height


def _fold_runs(calls: Sequence[Call], inner: bool) -> Iterator[CodeBlock]:
    """Fold equal calls in a row into a RepeatedCall.

    Inside a block the first stays separate, so that stacks of every depth share one class; in the network three or
    more calls are folded.
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


def _summary(op: Op) -> str:
    """Return the first line of an op's docstring: what it is and where it comes from."""
    return (type(op).__doc__ or "").strip().splitlines()[0]


def source(graph: Graph, story: str = "", training: bool = False) -> str:
    """Return the network as the text of a Python module that imports only torch. `story` goes into its docstring.

    With `training`, its layers are in the form that trains. The attributes have the same names in both forms, and the
    text is the same unless a layer trains in a form of its own.

    The module defines `Network`. At evaluation `forward` maps (batch, *input) to (batch, classes); in training a
    network with auxiliary heads returns a tuple, the classifier first. Raises GenomeError for a graph of too many
    layers.
    """
    counts = cost(graph)
    writer = SourceWriter(training)
    writer.write(graph)
    body = writer.body(graph, inner=False)
    shape = " x ".join(map(str, graph.input))
    doc = f"Images of {shape} to {graph.nodes[graph.outputs[0]].shape[0]} class scores"
    doc += "; in training also those of the auxiliary heads." if len(graph.outputs) > 1 else "."
    heads = ", ".join("Tensor" for _ in graph.outputs)  # one by one, as TorchScript asks
    returns = "Tensor" if len(graph.outputs) == 1 else f"Tensor | tuple[{heads}]"
    network = class_text("Network", doc, (), [body], 1, returns)
    classes = [*writer.helpers.values(), *writer.in_order(body.targets()), network]
    code = "\n\n".join(classes)
    head = f"{counts.params:,} parameters, {counts.macs:,} multiply-accumulates per image of {shape}"
    head += ", once its branches are folded." if writer.folds else "."
    opening = f'"""{head}\n\n{_quoted(story)}\n"""' if story else f'"""{head}"""'
    imports = "\n".join(_imports(code))
    return f"{opening}\n\n# mypy: no-warn-return-any\n{imports}\n\n\n{code}"


def _quoted(story: str) -> str:
    """Return text that is safe inside a docstring."""
    plain = "".join(c if c.isprintable() or c == "\n" else " " for c in story.strip())
    lines = [textwrap.fill(line, WIDTH) for line in plain.splitlines()]
    return "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")


def _imports(code: str) -> Iterator[str]:
    if "torch." in code:
        yield "import torch"
    yield "from torch import Tensor, nn"
    if "F." in code:
        yield "from torch.nn import functional as F"
