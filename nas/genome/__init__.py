"""What can be known of a network without a tensor. Standard library only."""

from nas.genome import primitives  # defining an op registers it
from nas.genome.choices import Space, Trial
from nas.genome.cost import Budget, Cost, Range, cost
from nas.genome.graph import OPS, Graph, Input, Node, Op, Primitive, Shape, Value, lower
from nas.genome.identity import fingerprint
from nas.genome.task import Task
from nas.genome.text import from_json, to_json

__all__ = [
    "OPS", "Budget", "Cost", "Graph", "Input", "Node", "Op", "Primitive", "Range", "Shape", "Space", "Task", "Trial",
    "Value",
    "cost", "fingerprint", "from_json", "lower", "primitives", "to_json",
]  # fmt: skip
