"""RepVGG's block: three branches in training, one convolution afterwards."""

from dataclasses import dataclass

from nas.genome.activations import Relu
from nas.genome.folding_layers import RepConv
from nas.genome.graph import Value
from nas.genome.hyperparameters import Count, Width
from nas.genome.op_kinds import Primitive


@dataclass(frozen=True)
class RepVGGBlock(Primitive):
    """A 3x3 convolution that trains in three branches, and ReLU (Ding et al. 2021, RepVGG, figure 2)."""

    width: Width
    stride: Count = 1
    groups: Width = 1

    def expand(self, *inputs: Value) -> Value:
        return Relu()(RepConv(self.width, self.stride, self.groups)(*inputs, name="conv"))
