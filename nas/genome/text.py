"""A genome as JSON, and back, trusting nothing.

Reading never executes and never allocates what it has not counted: the text is bounded, every field is checked
against its op's annotation, names must be known and distinct, inputs may only look back.
"""

import json
from typing import Any

from nas.errors import GenomeError, NasError
from nas.genome.cost import cost
from nas.genome.graph import OPS, Graph, Op, Value, checks

FORMAT = "nas-genome/1"
MOST_BYTES = 1_000_000
MOST_NODES = 10_000
MOST_PARAMS = 10**11
MOST_ACTIVATIONS = 10**11


def to_json(graph: Graph) -> str:
    """The genome as text, a node a line."""
    rows = []
    for node in graph.nodes:
        row = {"name": node.name, "op": type(node.op).__name__, "inputs": [graph.nodes[i].name for i in node.inputs]}
        rows.append("  " + json.dumps(row | node.op.values()))
    outputs = json.dumps([graph.nodes[i].name for i in graph.outputs])
    return f'{{"format": "{FORMAT}",\n "nodes": [\n' + ",\n".join(rows) + f'\n ],\n "outputs": {outputs}}}\n'


def from_json(text: str) -> Graph:
    """Read a genome. Raises GenomeError naming the place and what is expected there."""
    if len(text) > MOST_BYTES:
        raise GenomeError(f"the genome is {len(text):,} characters long; at most {MOST_BYTES:,} are read")
    try:
        data = json.loads(text, object_pairs_hook=_distinct, parse_constant=_finite)
    except RecursionError:
        raise GenomeError("the genome is nested too deeply; it is one list of flat nodes") from None
    except json.JSONDecodeError as problem:
        raise GenomeError(f"line {problem.lineno}, column {problem.colno}: not JSON ({problem.msg})") from None
    except ValueError as problem:  # an integer of thousands of digits
        raise GenomeError(f"not a genome: {str(problem)[:100]}") from None
    graph = _graph(data)
    _bounded(graph)
    return graph


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise GenomeError(f"the key {key[:40]!r} stands twice in one object")
    return dict(pairs)


def _finite(constant: str) -> Any:
    raise GenomeError(f"{constant} is not a number a genome may hold")


def _graph(data: Any) -> Graph:
    _object(data, "the genome", {"format", "nodes", "outputs"}, {"format", "nodes", "outputs"})
    if data["format"] != FORMAT:
        raise GenomeError(f"format: {str(data['format'])[:40]!r} is not {FORMAT!r}")
    nodes, outputs = data["nodes"], data["outputs"]
    if not isinstance(nodes, list) or not 1 <= len(nodes) <= MOST_NODES:
        raise GenomeError(f"nodes: expected a list of 1 to {MOST_NODES:,} nodes")
    values: dict[str, Value] = {}
    for place, row in enumerate(nodes):
        where = f"nodes[{place}]"
        value = _node(row, where, values)
        if value.op.__class__.__name__ == "Input" and place:
            raise GenomeError(f"{where}: only nodes[0] may be an Input")
        if not place and value.op.__class__.__name__ != "Input":
            raise GenomeError(f"{where}: the first node must be the Input")
        values[str(value.name)] = value
    return Graph.of(*_inputs(outputs, "outputs", values))


def _node(row: Any, where: str, known: dict[str, Value]) -> Value:
    _object(row, where, {"name", "op"}, None)
    name, kind = row["name"], row["op"]
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise GenomeError(f"{where}.name: expected 1 to 200 characters")
    if name in known:
        raise GenomeError(f"{where}.name: {name!r} is taken by an earlier node")
    if not isinstance(kind, str) or kind not in OPS:
        raise GenomeError(f"{where}.op: {str(kind)[:40]!r} is not an op; the ops are {', '.join(sorted(OPS))}")
    cls = OPS[kind]
    settings = {key: value for key, value in row.items() if key not in ("name", "op", "inputs")}
    for key in settings:
        if key not in checks(cls):
            raise GenomeError(f"{where}: {kind} has no field {key[:40]!r}; it has {', '.join(checks(cls)) or 'none'}")
    try:
        op: Op = cls(**settings)
        inputs = _inputs(row.get("inputs", []), f"{where}.inputs", known) if kind != "Input" else []
        return op(*inputs, name=name)
    except TypeError:
        missing = [key for key in checks(cls) if key not in settings]
        raise GenomeError(f"{where}: {kind} needs {', '.join(missing)}") from None
    except NasError as problem:
        text = str(problem)
        raise GenomeError(text if text.startswith(where) else f"{where} ({name}): {text}") from None


def _inputs(names: Any, where: str, known: dict[str, Value]) -> list[Value]:
    if not isinstance(names, list) or not names:
        raise GenomeError(f"{where}: expected a list of names of earlier nodes")
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise GenomeError(f"{where}: {str(name)[:40]!r} is not an earlier node")
    return [known[name] for name in names]


def _object(data: Any, where: str, required: set[str], allowed: set[str] | None) -> None:
    if not isinstance(data, dict):
        raise GenomeError(f"{where}: expected an object, found {type(data).__name__}")
    for key in sorted(required):
        if key not in data:
            raise GenomeError(f"{where}: the key {key!r} is missing")
    for key in data:
        if allowed is not None and key not in allowed:
            raise GenomeError(f"{where}: unknown key {key[:40]!r}; the keys are {', '.join(sorted(allowed))}")


def _bounded(graph: Graph) -> None:
    counts = cost(graph, auxiliary=True)
    for name, value, most in (
        ("parameters", counts.params, MOST_PARAMS),
        ("activations", counts.activations, MOST_ACTIVATIONS),
    ):
        if value > most:
            raise GenomeError(f"the network asks for {value:,} {name}; at most {most:,} are allowed")
