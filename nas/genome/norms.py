"""Normalizations, each with the scale and shift that it trains."""

from dataclasses import dataclass
from math import prod

from nas.genome.graph import Shape
from nas.genome.hyperparameters import Count, Positive, Width
from nas.genome.layers import image
from nas.genome.op_kinds import Call, Layer


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalization with scale and shift (Ioffe & Szegedy 2015; torch.nn.BatchNorm2d)."""

    epsilon: Positive = 1e-5

    former_name = "Norm"

    def shape(self, *inputs: Shape) -> Shape:
        return image(self, *inputs)

    def params(self, *inputs: Shape) -> int:
        return 2 * inputs[0][0]

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.BatchNorm2d", (("num_features", inputs[0][0]),), (("eps", self.epsilon, 1e-5),))


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """Local response normalization over neighboring channels (Krizhevsky et al. 2012, section 3.3).

    As in torch.nn.LocalResponseNorm, `alpha` is divided by `size`.
    """

    size: Count = 5
    alpha: Positive = 1e-4
    beta: Positive = 0.75
    k: Positive = 2.0

    former_name = "LocalNorm"

    def shape(self, *inputs: Shape) -> Shape:
        return image(self, *inputs)

    def module(self, *inputs: Shape) -> Call:
        options = (("alpha", self.alpha, 1e-4), ("beta", self.beta, 0.75), ("k", self.k, 1.0))
        return Call("nn.LocalResponseNorm", (("size", self.size),), options)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Normalization over the channels of each position (Ba et al. 2016; in networks of images Liu et al. 2022)."""

    epsilon: Positive = 1e-6

    torch_class_source = '''
class LayerNorm2d(nn.LayerNorm):
    """Normalization over the channels of each position (Ba et al. 2016)."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)
'''

    def shape(self, *inputs: Shape) -> Shape:
        return image(self, *inputs)

    def params(self, *inputs: Shape) -> int:
        return 2 * inputs[0][0]

    def module(self, *inputs: Shape) -> Call:
        return Call("LayerNorm2d", (("normalized_shape", inputs[0][0]),), (("eps", self.epsilon, 1e-5),))


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Normalization over groups of channels and all positions (Wu & He 2018; torch.nn.GroupNorm)."""

    groups: Width
    epsilon: Positive = 1e-5

    pools = True

    def shape(self, *inputs: Shape) -> Shape:
        shape = image(self, *inputs)
        if shape[0] % self.groups:
            raise self.shape_error(f"{shape[0]} channels must be divisible by `groups` (={self.groups})", *inputs)
        if prod(shape) == self.groups:
            raise self.shape_error("a group of one value has no variance", *inputs)
        return shape

    def params(self, *inputs: Shape) -> int:
        return 2 * inputs[0][0]

    def module(self, *inputs: Shape) -> Call:
        args = ("num_groups", self.groups), ("num_channels", inputs[0][0])
        return Call("nn.GroupNorm", args, (("eps", self.epsilon, 1e-5),))
