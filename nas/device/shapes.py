"""Shapes of tensors: a batch of one in front, channels last."""

from nas.genome.graph import Shape


def tensor_shape(shape: Shape) -> Shape:
    """Return the shape of a tensor: (1, height, width, channels) of an image, (1, features) of features."""
    return (1, *shape[1:], shape[0])


def image_shape(shape: Shape) -> Shape:
    """Return the (channels, height, width) of a tensor that holds an image."""
    return (shape[3], *shape[1:3])
