"""A network on torch's meta device, where a forward pass costs nothing that it counts."""

from functools import partial

import torch
from torch import Tensor, nn

from nas.genome import Graph
from nas.model import module


def meta_module(graph: Graph) -> nn.Module:
    """Return the graph's module without memory for its weights.

    Its norms check the number of channels and no more: they have no FLOPs, and on the meta device each takes as long as
    ten convolutions.
    """
    with torch.device("meta"):
        network = module(graph).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.forward = partial(same_channels, layer.num_features)  # type: ignore[method-assign]
    return network


def same_channels(channels: int, images: Tensor) -> Tensor:
    assert images.shape[1] == channels
    return images
