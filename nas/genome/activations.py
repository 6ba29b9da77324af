"""Nonlinearities: each output is computed from the input at the same place."""

from dataclasses import dataclass

from nas.genome.graph import Shape
from nas.genome.op_kinds import Call, Layer


class Nonlinearity(Layer, abstract=True):
    """A nonlinearity: it keeps the shape of images and of features."""

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@dataclass(frozen=True)
class Relu(Nonlinearity):
    """max(0, x) (Nair & Hinton 2010; torch.nn.functional.relu)."""

    forward = "F.relu({0})"


@dataclass(frozen=True)
class Relu6(Nonlinearity):
    """min(max(0, x), 6), exact in few bits (Howard et al. 2017, MobileNet; torch.nn.functional.relu6)."""

    forward = "F.relu6({0})"


@dataclass(frozen=True)
class Tanh(Nonlinearity):
    """Hyperbolic tangent (torch.tanh)."""

    forward = "torch.tanh({0})"


@dataclass(frozen=True)
class ScaledTanh(Nonlinearity):
    """1.7159 tanh(2x / 3): the squashing function of LeNet-5 (LeCun et al. 1998, appendix A)."""

    forward = "1.7159 * torch.tanh({0} * 2 / 3)"


@dataclass(frozen=True)
class Sigmoid(Nonlinearity):
    """1 / (1 + exp(-x)) (torch.sigmoid)."""

    forward = "torch.sigmoid({0})"


@dataclass(frozen=True)
class HardSigmoid(Nonlinearity):
    """relu6(x + 3) / 6: a sigmoid in straight lines (Howard et al. 2019, section 5.2; torch.nn.Hardsigmoid)."""

    forward = "F.hardsigmoid({0})"


@dataclass(frozen=True)
class Silu(Nonlinearity):
    """x sigmoid(x), also called swish (Elfwing et al. 2018; torch.nn.functional.silu)."""

    forward = "F.silu({0})"


@dataclass(frozen=True)
class HardSwish(Nonlinearity):
    """x relu6(x + 3) / 6: swish in straight lines (Howard et al. 2019, section 5.2; torch.nn.Hardswish)."""

    forward = "F.hardswish({0})"


@dataclass(frozen=True)
class Gelu(Nonlinearity):
    """x times the normal distribution function of x (Hendrycks & Gimpel 2016; torch.nn.functional.gelu)."""

    forward = "F.gelu({0})"


@dataclass(frozen=True)
class Prelu(Nonlinearity):
    """x, or below zero x times a trained slope per channel (He et al. 2015, arXiv 1502.01852; torch.nn.PReLU)."""

    forward = "{self}({0})"

    def params(self, *inputs: Shape) -> int:
        return inputs[0][0]

    def module(self, *inputs: Shape) -> Call:
        return Call("nn.PReLU", (("num_parameters", inputs[0][0]),))
