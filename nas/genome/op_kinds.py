"""The three kinds of op: the input, the layers that torch computes, and the primitives written out in layers."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from nas.errors import GenomeError
from nas.genome.graph import Graph, Op, Shape, Value, place_op
from nas.genome.hyperparameters import Extents, Padding, Window


@dataclass(frozen=True)
class Input(Op):
    """The image that enters a network: (channels, height, width), or (features,)."""

    extents: Extents

    arity = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.extents) not in (1, 3):
            raise GenomeError(f"Input: `extents` (={self.extents}) must be (channels, height, width) or (features,)")

    def shape(self, *inputs: Shape) -> Shape:
        if inputs:
            raise self.shape_error("takes no input", *inputs)
        return self.extents


class SlidingWindow(NamedTuple):
    """The window that a layer slides over its image: each number for both axes, or (rows, columns)."""

    kernel: Window = 1
    stride: Window = 1
    padding: Padding = 0


@dataclass(frozen=True)
class Call:
    """A constructor call in generated source.

    `args` are (role, value), written by position; `options` are (keyword, value, default), left out at the default.
    """

    target: str
    args: tuple[tuple[str, Any], ...] = ()
    options: tuple[tuple[str, Any, Any], ...] = ()


class Layer(Op, abstract=True):
    """An op that torch computes in one call: the only kind with weights, MACs and source text. Final.

    Its convolutions and linear layers start from the recipe's initialization. A layer with other weights starts them
    in `reset_parameters` of its torch module, as torch's own modules do; the constructor calls it too.

    A layer may train in another form than the one that is counted, evaluated and exported, if that computes the same at
    evaluation: `training_module` then makes a module with a method `folded()`, which returns the state dict of the
    module that `module` makes.
    """

    forward: ClassVar[str] = "{self}({0})"  # the expression; {0}, {1} the inputs, {all} their list, {self} the module
    weighted: ClassVar[bool] = False  # counts as a layer of depth; its outputs count as activations
    commutes: ClassVar[bool] = False  # the order of inputs does not matter
    pools: ClassVar[bool] = False  # reads a mean over the whole image, which receptive fields leave out
    torch_class_source: ClassVar[str] = ""  # of a module that torch lacks: a class of its name, once per file

    def params(self, *inputs: Shape) -> int:
        """Return the number of trainable parameters."""
        return 0

    def macs(self, *inputs: Shape) -> int:
        """Return the multiply-accumulates per sample, of convolutions and linear layers only."""
        return 0

    def module(self, *inputs: Shape) -> Call | None:
        """Return the call that makes the torch module of this layer; None when it has no state."""
        return None

    def training_module(self, *inputs: Shape) -> Call | None:
        """Return the call that makes the torch module in which this layer trains; None when it has no state."""
        return self.module(*inputs)

    def evaluated(self) -> "Layer":
        """Return the layer that this one is at evaluation: another where branches fold, else itself."""
        return self

    def sliding_window(self) -> SlidingWindow | None:
        """Return the window of input units that one output unit reads; None: only the unit at the same position."""
        return None


class Primitive(Op, abstract=True):
    """A documented building block, written out in layers by `expand`. Final.

    Its docstring cites the figure or section of the paper. `expand` applies at least one layer and uses every input.
    """

    role: ClassVar[str] = ""  # the name of an attribute that holds it, where it has a usual one: "stem", "head"

    @abstractmethod
    def expand(self, *inputs: Value) -> Value:
        """Return the output of the block, built from its inputs."""

    def shape(self, *inputs: Shape) -> Shape:
        return place_op(self, inputs).shape

    def body(self, *inputs: Shape) -> Graph:
        starts = [Input(shape)(name=f"input_{i}") for i, shape in enumerate(inputs)]
        body = Graph.of(self.expand(*starts))
        if [node.name for node in body.nodes[: len(inputs) + 1] if not node.inputs] != [v.name for v in starts]:
            raise self.shape_error("its expansion must use every input and apply a layer", *inputs)
        return body

    def class_name(self, *inputs: Shape) -> str:
        """Return the class name of this variant in generated source."""
        return type(self).__name__
