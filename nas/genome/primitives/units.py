"""Functions for the layers that most blocks contain."""

from nas.genome.graph import Value
from nas.genome.layers import BatchNorm, Conv, Relu

Side = int | tuple[int, int]


def conv_bn(x: Value, width: int, kernel: Side, stride: Side = 1, name: str | None = None) -> Value:
    """Return the output of a convolution without bias and batch norm, named `name` and `name`_norm."""
    y = Conv(width, kernel, stride)(x, name=name)
    return BatchNorm()(y, name=name and f"{name}_norm")


def unit(x: Value, width: int, kernel: Side, stride: Side = 1) -> Value:
    """Return the output of convolution, batch norm and ReLU (Ioffe & Szegedy 2015, section 3.2)."""
    return Relu()(conv_bn(x, width, kernel, stride))
