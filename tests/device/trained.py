"""Networks with weights as after a training, and random ones of all layers that the runtime has."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from random_networks import random_network
from torch import nn

from nas.device.conversion import integer_graph
from nas.device.layer_arrays import layer_arrays
from nas.device.layer_conversions import CONVERSIONS
from nas.device.quantize import QuantizedNetwork, quantize
from nas.errors import DeviceError
from nas.genome import Graph
from nas.model import module

LAYERS = sorted({op.__name__ for op in CONVERSIONS} - {"Input"} | {"Dropout", "Flatten", "RepConv"})


def trained(graph: Graph, seed: int = 0) -> nn.Module:
    """The module at evaluation, with statistics and factors that differ between channels."""
    torch.manual_seed(seed)
    network = module(graph)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            nn.init.normal_(part.weight, 1, 0.3)
            nn.init.normal_(part.bias)
        elif type(part).__name__ in ("ChannelScale", "LayerScale", "PositionBias"):
            for weights in part.parameters():
                nn.init.normal_(weights, 0.5, 0.5)
    return network.eval()


def images_for(graph: Graph, seed: int = 0, count: int = 8) -> NDArray[np.float64]:
    """Images as a network is given them."""
    return np.random.default_rng(seed).normal(size=(count, *graph.input))


def scores_of(network: nn.Module, images: NDArray[np.float64]) -> NDArray[Any]:
    """What torch computes."""
    with torch.no_grad():
        found = network(torch.tensor(images, dtype=torch.float32))
    return np.asarray(found[0] if isinstance(found, tuple) else found)


def quantized(graph: Graph, seed: int = 0) -> QuantizedNetwork:
    """A network in integers, with random weights and calibrated on random images."""
    arrays = layer_arrays(graph, trained(graph, seed))
    return quantize(integer_graph(graph), arrays, images_for(graph, seed))


def convertible_network(seed: int, nodes: int = 7) -> Graph:
    """The first random network from a seed on that the runtime has all operations for."""
    while True:
        graph = random_network(seed, nodes, LAYERS)
        try:
            integer_graph(graph)
        except DeviceError:
            seed += 1_000_000
        else:
            return graph
