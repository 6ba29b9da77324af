"""A classification task: the shape of its images and the number of classes."""

from dataclasses import dataclass

from nas.errors import GenomeError
from nas.genome.graph import Graph, Shape, Value
from nas.genome.op_kinds import Input


@dataclass(frozen=True)
class Task:
    """`input` is one image's (channels, height, width); `classes` the number of labels."""

    name: str
    input: Shape
    classes: int

    def image(self) -> Value:
        """Return the input value of a network for this task."""
        return Input(self.input)()

    def check(self, graph: Graph) -> None:
        """Raise GenomeError unless the graph takes this task's images and every head gives one logit per class."""
        if graph.input != self.input:
            raise GenomeError(
                f"the network takes images of {graph.input}, but those of task {self.name} are {self.input}"
            )
        for output in graph.outputs:
            node = graph.nodes[output]
            if node.shape != (self.classes,):
                raise GenomeError(f"{node.name} gives {node.shape}, but task {self.name} has {self.classes} classes")
