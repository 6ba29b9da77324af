"""The lines of `forward`: blocks joined to sequences, expressions folded into one line, variables reused."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

from nas.genome.activations import Nonlinearity
from nas.genome.graph import Graph, Shape
from nas.genome.layers import Add, Mul
from nas.genome.op_kinds import Layer, Primitive

VARIABLES = ("x", "y", "z", "u", "v", "w")
MAX_WIDTH = 76


@dataclass(frozen=True)
class ForwardStep:
    """One node, or a chain of blocks of one kind that runs as a sequence."""

    nodes: tuple[int, ...]
    inputs: tuple[int, ...]

    @property
    def output(self) -> int:
        return self.nodes[-1]


def forward_steps(graph: Graph, inner: bool) -> list[ForwardStep]:
    """Return the nodes in order, with chains joined; those that only auxiliary heads need come last.

    In the network a chain ends where the grid changes, as a stage does; inside a block a chain is a branch.
    """
    readers = Counter(i for node in graph.nodes for i in node.inputs) + Counter(graph.outputs)
    chains: dict[int, list[int]] = {}  # by last node
    for position, node in enumerate(graph.nodes):
        if not node.inputs:
            continue
        before = node.inputs[0]
        joined = (
            len(node.inputs) == 1
            and readers[before] == 1
            and isinstance(node.op, Primitive)
            and type(node.op) is type(graph.nodes[before].op)
            and (inner or _grid(graph.nodes[before].shape) == _grid(node.shape))
        )
        chains[position] = [*(chains.pop(before) if joined else []), position]
    plan = [ForwardStep(tuple(chain), graph.nodes[chain[0]].inputs) for chain in chains.values()]
    main = _needed(graph, graph.outputs[0])
    return sorted(plan, key=lambda step: (step.output not in main, step.output))


def _grid(shape: Shape) -> Shape:
    return shape[1:]


def _needed(graph: Graph, output: int) -> set[int]:
    needed = {output}
    for position in range(output, -1, -1):
        if position in needed:
            needed.update(graph.nodes[position].inputs)
    return needed


class _Lines:
    """The statements written so far. A value gets a variable only when an expression cannot hold it."""

    def __init__(self, graph: Graph, plan: Sequence[ForwardStep], inner: bool) -> None:
        self.graph, self.inner = graph, inner
        self.uses = Counter(i for step in plan for i in step.inputs) + Counter(graph.outputs)
        self.text: dict[int, str] = {}  # value -> variable or expression
        self.reads: dict[int, list[int]] = {}  # folded value -> the values of variables it reads
        self.variable: dict[int, str] = {}
        self.lines: list[str] = []
        inputs = [position for position, node in enumerate(graph.nodes) if not node.inputs]
        for position, name in zip(inputs, VARIABLES, strict=False):
            self.text[position] = self.variable[position] = name

    def expression(self, step: ForwardStep, attribute: str | None) -> str:
        node = self.graph.nodes[step.output]
        pattern = node.op.forward if isinstance(node.op, Layer) and len(step.nodes) == 1 else "{self}({all})"
        given = [self.text[i] for i in step.inputs]
        joined = ", ".join(given)
        if len(joined) > MAX_WIDTH:
            joined = "\n" + "".join(f"    {text},\n" for text in given)
        return pattern.format(*given, all=joined, self=f"self.{attribute}")

    def folds(self, step: ForwardStep, text: str, reader: ForwardStep | None) -> bool:
        """Return whether this value is written inside its reader's expression."""
        node = self.graph.nodes[step.output]
        if self.uses[step.output] > 1 or reader is None or isinstance(node.op, Nonlinearity) or len(text) > MAX_WIDTH:
            return False
        if isinstance(node.op, Add | Mul):  # without parentheses it is safe only as the argument of a call
            following = self.graph.nodes[reader.nodes[0]].op
            return isinstance(following, Layer) and "({0})" in following.forward
        return self.inner or isinstance(node.op, Layer)

    def read(self, step: ForwardStep) -> list[int]:
        return [v for i in step.inputs for v in self.reads.get(i, [i])]

    def fold(self, step: ForwardStep, text: str) -> None:
        self.text[step.output], self.reads[step.output] = text, self.read(step)

    def assign(self, step: ForwardStep, text: str, comment: str = "") -> None:
        read = self.read(step)
        for value in read:
            self.uses[value] -= 1
        free = [self.variable[v] for v in read if not self.uses[v]]
        busy = {name for v, name in self.variable.items() if self.uses[v] > 0}
        name = next(n for n in chain(free, VARIABLES, (f"x{n}" for n in count(1))) if n not in busy)
        self.variable = {v: n for v, n in self.variable.items() if n != name}
        self.text[step.output] = self.variable[step.output] = name
        self.lines.append(f"{name} = {text}{comment}")

    def finish(self, text: str) -> None:
        self.lines.append(f"return {text}")


def forward(graph: Graph, plan: Sequence[ForwardStep], attributes: Sequence[str | None], inner: bool) -> Iterator[str]:
    """Yield the statements of `forward`."""
    writer = _Lines(graph, plan, inner)
    reader = {i: step for step in plan for i in step.inputs}
    main, *auxiliary = graph.outputs
    for step, attribute in zip(plan, attributes, strict=True):
        text = writer.expression(step, attribute)
        if step.output == main and not auxiliary:
            writer.finish(text)
        elif writer.folds(step, text, reader.get(step.output)):
            writer.fold(step, text)
        else:
            shape = graph.nodes[step.output].shape
            comment = f"  # {' x '.join(map(str, shape))}" if not inner and len(text) < MAX_WIDTH else ""
            writer.assign(step, text, comment)
        if step.output == main and auxiliary:
            writer.lines += ["if not self.training:", f"    return {writer.text[main]}"]
    if auxiliary:
        writer.finish(", ".join(writer.text[output] for output in graph.outputs))
    yield from writer.lines
