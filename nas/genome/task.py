"""What a network is asked to do: images of one shape, sorted into classes."""

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
        """The first value of every network for this task."""
        return Input(self.input)()

    def check(self, graph: Graph) -> None:
        """Raise GenomeError unless the graph reads this task's images and every head answers its classes."""
        if graph.input != self.input:
            raise GenomeError(f"the network reads {graph.input}, but task {self.name} has images of {self.input}")
        for output in graph.outputs:
            node = graph.nodes[output]
            if node.shape != (self.classes,):
                raise GenomeError(f"{node.name} gives {node.shape}, but task {self.name} has {self.classes} classes")
