"""Functions for the layers that most blocks contain."""

from typing import Literal

from nas.genome.activations import Gelu, HardSwish, Nonlinearity, Prelu, Relu, Relu6, Silu, Tanh
from nas.genome.channel_layers import same_padding
from nas.genome.graph import Value
from nas.genome.layers import Conv, Dropout
from nas.genome.norms import BatchNorm

Side = int | tuple[int, int]
DepthwiseKernel = Literal[3, 5, 7, 9]
Activation = Literal["relu", "relu6", "prelu", "silu", "hardswish", "gelu", "tanh", "none"]

NONLINEARITIES: dict[str, Nonlinearity] = {
    "relu": Relu(), "relu6": Relu6(), "prelu": Prelu(), "silu": Silu(), "hardswish": HardSwish(), "gelu": Gelu(),
    "tanh": Tanh(),
}  # fmt: skip


def activate(x: Value, activation: Activation) -> Value:
    """Return the value after its activation; unchanged for "none"."""
    return NONLINEARITIES[activation](x) if activation != "none" else x


def dropped(x: Value, rate: float) -> Value:
    """Return the value after dropout; unchanged at rate 0."""
    return Dropout(rate)(x) if rate else x


def conv_bn(
    x: Value,
    width: int,
    kernel: Side,
    stride: Side = 1,
    name: str | None = None,
    groups: int = 1,
    eps: float = 1e-5,
    padding: Side | None = None,
) -> Value:
    """Return the output of a convolution without bias and batch norm, named `name` and `name`_norm."""
    y = Conv(width, kernel, stride, padding, groups)(x, name=name)
    return BatchNorm(eps)(y, name=name and f"{name}_norm")


def pad_same(x: Value, kernel: int, stride: int) -> tuple[Value, Side]:
    """Return an image and the padding of a convolution on it that together make TensorFlow's padding "SAME".

    Where the sides need different numbers of zeros, these are put around the image already.
    """
    zeros = same_padding(x.shape, kernel, stride)
    if zeros is None:
        return x, 0
    return (x, zeros.before) if zeros.before == zeros.after else (zeros(x), 0)


def depthwise_bn(
    x: Value, kernel: int, stride: int = 1, name: str = "depthwise", eps: float = 1e-5, same: bool = False
) -> Value:
    """Return the output of a depthwise convolution and batch norm; with `same`, padded as TensorFlow pads it."""
    x, padding = pad_same(x, kernel, stride) if same else (x, None)
    return conv_bn(x, x.shape[0], kernel, stride, name, x.shape[0], eps, padding)


def unit(x: Value, width: int, kernel: Side, stride: Side = 1) -> Value:
    """Return the output of convolution, batch norm and ReLU (Ioffe & Szegedy 2015, section 3.2)."""
    return Relu()(conv_bn(x, width, kernel, stride))
