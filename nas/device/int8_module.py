"""A quantized network as a torch module, so that it is evaluated as any other."""

import torch
from torch import Tensor, nn

from nas.device.quantize import QuantizedNetwork
from nas.device.reference import run_integers


class Int8Module(nn.Module):
    """The network in integers: normalized images in, logits out; on the CPU, and not to be trained."""

    def __init__(self, network: QuantizedNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return (batch, classes) for images (batch, channels, height, width)."""
        network, output = self.network, self.network.graph.output
        found = run_integers(network, network.quantize_images(images.double().numpy())).astype("float64")
        return torch.from_numpy((found - network.zero_points(output)) * network.scales(output)).float()
