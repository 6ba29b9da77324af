"""What can be known of a network without a tensor. Standard library only."""

from nas.genome import primitives  # defining an op registers it
from nas.genome.cost import Cost, cost
from nas.genome.fingerprint import fingerprint
from nas.genome.genome_json import from_json, to_json
from nas.genome.graph import OPS, Graph, Input, Node, Op, Primitive, Shape, Value, lower
from nas.genome.task import Task
from nas.genome.trial import Space, Trial

__all__ = [
    "OPS", "Cost", "Graph", "Input", "Node", "Op", "Primitive", "Shape", "Space", "Task", "Trial",
    "Value",
    "cost", "fingerprint", "from_json", "lower", "primitives", "to_json",
]  # fmt: skip
