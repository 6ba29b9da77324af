"""Functions for the layers that most blocks contain."""

from typing import Literal

from nas.genome.activations import Gelu, HardSwish, Nonlinearity, Prelu, Relu, Relu6, Silu, Tanh
from nas.genome.graph import Value
from nas.genome.layers import Conv
from nas.genome.norms import BatchNorm

Side = int | tuple[int, int]
Activation = Literal["relu", "relu6", "prelu", "silu", "hardswish", "gelu", "tanh", "none"]

NONLINEARITIES: dict[str, Nonlinearity] = {
    "relu": Relu(), "relu6": Relu6(), "prelu": Prelu(), "silu": Silu(), "hardswish": HardSwish(), "gelu": Gelu(),
    "tanh": Tanh(),
}  # fmt: skip


def activate(x: Value, activation: Activation) -> Value:
    """Return the value after its activation; unchanged for "none"."""
    return NONLINEARITIES[activation](x) if activation != "none" else x


def conv_bn(
    x: Value, width: int, kernel: Side, stride: Side = 1, name: str | None = None, groups: int = 1, eps: float = 1e-5
) -> Value:
    """Return the output of a convolution without bias and batch norm, named `name` and `name`_norm."""
    y = Conv(width, kernel, stride, groups=groups)(x, name=name)
    return BatchNorm(eps)(y, name=name and f"{name}_norm")


def unit(x: Value, width: int, kernel: Side, stride: Side = 1) -> Value:
    """Return the output of convolution, batch norm and ReLU (Ioffe & Szegedy 2015, section 3.2)."""
    return Relu()(conv_bn(x, width, kernel, stride))
