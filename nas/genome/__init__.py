"""Networks as graphs: building, counting, comparing and editing them. Needs the standard library only."""

from nas.genome import primitives  # defining an op registers it
from nas.genome.cost import Cost, cost
from nas.genome.fingerprint import fingerprint
from nas.genome.genome_json import from_json, to_json
from nas.genome.graph import OPS, Graph, Node, Op, Shape, Value, lower
from nas.genome.op_kinds import Input, Primitive
from nas.genome.task import Task
from nas.genome.trial import Space, Trial

__all__ = [
    "OPS", "Cost", "Graph", "Input", "Node", "Op", "Primitive", "Shape", "Space", "Task", "Trial",
    "Value",
    "cost", "fingerprint", "from_json", "lower", "primitives", "to_json",
]  # fmt: skip
