"""Writing a genome as JSON, and reading one from an untrusted source.

Reading never runs code, and it counts before it allocates: the length of the text is limited, every field is checked
against its op's annotation, names must be known and distinct, inputs must be earlier nodes, and layers, parameters and
tensors are added up node by node.
"""

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from nas.errors import GenomeError, NasError, near
from nas.files import read_text
from nas.genome.cost import MAX_LAYERS, tally
from nas.genome.graph import FORMER_OPS, OPS, Graph, Op, Value, checks
from nas.genome.hyperparameters import short_repr
from nas.genome.op_kinds import Input, Primitive

FORMAT = "nas-genome/1"
MAX_BYTES = 1_000_000
MAX_NODES = 10_000
MAX_PARAMS = 10**11
MAX_ELEMENTS = 10**11  # of one tensor, and of all activations together


class UnknownOpError(GenomeError):
    """A genome with an op that is not known in this process."""


def to_json(graph: Graph) -> str:
    """Return the genome as JSON, one line per node."""
    rows = []
    for node in graph.nodes:
        row = {"name": node.name, "op": type(node.op).__name__, "inputs": [graph.nodes[i].name for i in node.inputs]}
        rows.append("  " + json.dumps(row | node.op.stable_values()))
    outputs = json.dumps([graph.nodes[i].name for i in graph.outputs])
    return f'{{"format": "{FORMAT}",\n "nodes": [\n' + ",\n".join(rows) + f'\n ],\n "outputs": {outputs}}}\n'


def from_json(text: str) -> Graph:
    """Return the graph of a genome. Raises GenomeError with the position in the text and what is expected there."""
    if len(text) > MAX_BYTES:
        raise GenomeError(f"the genome is {len(text):,} characters long; at most {MAX_BYTES:,} are allowed")
    try:
        data = json.loads(text, object_pairs_hook=_distinct, parse_constant=_finite)
    except RecursionError:
        raise GenomeError("the genome is nested too deeply; expected one flat list of nodes") from None
    except json.JSONDecodeError as problem:
        raise GenomeError(f"line {problem.lineno}, column {problem.colno}: not JSON ({problem.msg})") from None
    except ValueError as problem:  # an integer of thousands of digits
        raise GenomeError(f"not a genome: {str(problem)[:100]}") from None
    return _graph(data)


def read_genome(path: Path) -> Graph:
    """Return the graph of a genome file. Raises GenomeError with the file and the position in it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise GenomeError(f"larger than {MAX_BYTES:,} bytes; not a genome")
        return from_json(read_text(path))
    except (OSError, UnicodeDecodeError) as problem:
        raise GenomeError(f"{path}: cannot be read as text: {problem}") from None
    except GenomeError as problem:
        raise type(problem)(f"{path}: {problem}") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    distinct: dict[str, Any] = {}
    for key, value in pairs:
        if key in distinct:
            raise GenomeError(f"the key {short_repr(key)} appears twice in one object")
        distinct[key] = value
    return distinct


def _finite(constant: str) -> Any:
    raise GenomeError(f"{constant} is not allowed in a genome")


def _graph(data: Any) -> Graph:
    keys = {"format", "nodes", "outputs"}
    _object(data, "the genome", keys, keys)
    if data["format"] != FORMAT:
        raise GenomeError(f"format: {short_repr(data['format'])} is not {FORMAT!r}")
    rows = data["nodes"]
    if not isinstance(rows, list) or not 2 <= len(rows) <= MAX_NODES:
        raise GenomeError(f"nodes: expected a list of 2 to {MAX_NODES:,} nodes")
    reader = _Reader()
    for i, row in enumerate(rows):
        reader.read(row, f"nodes[{i}]")
    return reader.finish(data["outputs"])


class _Reader:
    """The nodes read so far, with the counts of the network written out in layers."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.layers = self.params = self.activations = 0

    def read(self, row: Any, where: str) -> None:
        _object(row, where, {"name", "op"}, None)
        name = self.name(row["name"], where)
        op = self.op(row, where)
        inputs = row.get("inputs", [])
        if isinstance(op, Input) != (not self.values):
            raise GenomeError(f"{where}: only the first node must be an Input")
        if not isinstance(op, Input) or inputs != []:
            inputs = self.inputs(inputs, f"{where}.inputs")
        try:
            self.values[name] = value = op(*inputs, name=name)
            self.count(value)
        except NasError as problem:
            raise GenomeError(f"{where} ({name}): {problem}") from None

    def name(self, name: Any, where: str) -> str:
        if not isinstance(name, str) or not 0 < len(name) <= 200 or not name.isprintable():
            raise GenomeError(f"{where}.name: expected 1 to 200 printable characters, found {short_repr(name)}")
        if name in self.values:
            raise GenomeError(f"{where}.name: {short_repr(name)} is taken by an earlier node")
        return name

    def op(self, row: dict[str, Any], where: str) -> Op:
        kind = row["op"]
        cls = OPS.get(kind) or FORMER_OPS.get(kind) if isinstance(kind, str) else None
        if cls is None:
            near_one = near(kind, OPS) if isinstance(kind, str) else ""
            raise UnknownOpError(f"{where}.op: {short_repr(kind)} is not an op{near_one}")
        settings = {key: value for key, value in row.items() if key not in ("name", "op", "inputs")}
        for key in settings.keys() - checks(cls).keys():
            names = ", ".join(checks(cls)) or "none"
            raise GenomeError(f"{where}: {kind} has no field {short_repr(key)}; it has {names}")
        if missing := [f.name for f in fields(cls) if f.default is MISSING and f.name not in settings]:
            raise GenomeError(f"{where}: {kind} needs {', '.join(missing)}")
        try:
            op: Op = cls(**settings)
        except NasError as problem:
            raise GenomeError(f"{where}: {problem}") from None
        return op

    def inputs(self, names: Any, where: str) -> list[Value]:
        if not isinstance(names, list) or not names:
            raise GenomeError(f"{where}: expected a list of names of earlier nodes")
        for name in names:
            if not isinstance(name, str) or name not in self.values:
                raise GenomeError(f"{where}: {short_repr(name)} is not an earlier node")
        return [self.values[name] for name in names]

    def count(self, value: Value) -> None:
        counts = tally(value.placed)
        self.layers += counts.layers
        self.params += counts.params
        self.activations += counts.activations
        for what, total, limit in (
            ("layers", self.layers, MAX_LAYERS),
            ("parameters", self.params, MAX_PARAMS),
            ("activations", self.activations, MAX_ELEMENTS),
            ("elements in one tensor", value.placed.size, MAX_ELEMENTS),
        ):
            if total > limit:
                raise GenomeError(f"the network so far has {total:,} {what}; at most {limit:,} are allowed")

    def finish(self, outputs: Any) -> Graph:
        heads = self.inputs(outputs, "outputs")
        if len(set(outputs)) < len(outputs):
            raise GenomeError("outputs: each head must be named once")
        if any(isinstance(head.op, Input) for head in heads):
            raise GenomeError("outputs: the Input is not a head")
        for name in self.values:
            if any(isinstance(self.values[part].op, Primitive) for part in _enclosing(name) if part in self.values):
                raise GenomeError(f"the name {short_repr(name)} belongs to a layer inside a block of this genome")
        return Graph.of(*heads)


def _enclosing(name: str) -> list[str]:
    """Return the names of the enclosing blocks: block.unit.conv gives block and block.unit."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _object(data: Any, where: str, required: set[str], allowed: set[str] | None) -> None:
    if not isinstance(data, dict):
        raise GenomeError(f"{where}: expected an object, found {type(data).__name__}")
    for key in sorted(required):
        if key not in data:
            raise GenomeError(f"{where}: the key {key!r} is missing")
    for key in data:
        if allowed is not None and key not in allowed:
            raise GenomeError(f"{where}: unknown key {short_repr(key)}; the keys are {', '.join(sorted(allowed))}")
