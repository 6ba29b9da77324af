"""A network that computes in real numbers what it will be in 8-bit integers, so that it can be trained for them.

Every activation is rounded to the steps of its scale, and so are weights, per channel or per tensor as in the file;
biases are not: their 32 bits lose nothing. Gradients pass through the rounding unchanged, and are 0 where a number is
cut off (Jacob et al. 2018, section 3; Bengio et al. 2013, section 4). Norms are folded into convolutions before, with
the statistics at the end of training: there is nothing left to normalize.
"""

import numpy as np
import torch
from torch import Tensor, nn

from nas.device.fixed_point import HIGHEST, LOWEST
from nas.device.float_constants import Array
from nas.device.integer_graph import IntegerGraph, IntegerTensor
from nas.device.quantize import QuantizedNetwork, activation_scales, quantize_constants, scale_of_range
from nas.device.torch_ops import OpInputs, run_op


class FakeQuantized(nn.Module):
    """An integer graph with the constants that depend on weights as parameters: normalized images in, logits out.

    constants: as `float_constants` returns them. images: whose values give the scales of activations, as the network
    is given them.
    """

    def __init__(self, graph: IntegerGraph, constants: dict[int, Array], images: Array) -> None:
        super().__init__()
        self.graph, self.images = graph, images
        for index, values in constants.items():
            tensor, content = torch.from_numpy(values).float(), graph.tensors[index].content
            if isinstance(content, float):
                self.register_buffer(f"constant_{index}", tensor)
            else:  # only kernels have several axes: they alone have weight decay
                given = nn.Parameter(tensor if content == "weights" else tensor.reshape(-1))
                self.register_parameter(f"constant_{index}", given)
        self.known = frozenset(constants)
        self.calibrate()

    def calibrate(self) -> None:
        """Give activations the scales that the images have with the present constants."""
        self.scales, self.zero_points = activation_scales(self.graph, self.constants(), self.images)

    def constants(self) -> dict[int, Array]:
        """Return the present constants, in the shapes of their tensors."""
        return {index: self._values(index).detach().cpu().double().numpy() for index in self.known}

    def quantized(self) -> QuantizedNetwork:
        """Return the network in integers, with the scales of the last calibration."""
        return quantize_constants(self.graph, self.constants(), self.scales, self.zero_points)

    def forward(self, images: Tensor) -> Tensor:
        """Return (batch, classes) for images (batch, channels, height, width)."""
        tensors = self.graph.tensors
        values = {0: self._rounded_activation(0, images.permute(0, 2, 3, 1))}
        for op in self.graph.ops:
            read = [values[i] if i in values else self._rounded_constant(i) for i in op.inputs if self._is_real(i)]
            integers = [content for i in op.inputs if isinstance(content := tensors[i].content, tuple)]
            found = run_op(OpInputs(op, read, integers, tensors[op.output].shape))
            values[op.output] = self._rounded_activation(op.output, found)
        return values[self.graph.output]

    def _is_real(self, index: int) -> bool:
        return not isinstance(self.graph.tensors[index].content, tuple)

    def _values(self, index: int) -> Tensor:
        values: Tensor = getattr(self, f"constant_{index}")
        return values.reshape(self.graph.tensors[index].shape)

    def _rounded_activation(self, index: int, values: Tensor) -> Tensor:
        scale, zero_point = float(self.scales[index][0]), int(self.zero_points[index][0])
        return torch.fake_quantize_per_tensor_affine(values, scale, zero_point, LOWEST, HIGHEST)

    def _rounded_constant(self, index: int) -> Tensor:
        values, tensor = self._values(index), self.graph.tensors[index]
        if tensor.content == "bias":
            return values
        if tensor.content == "weights":
            return rounded_weights(values, tensor)
        low, high = (float(each) for each in torch.aminmax(values.detach()))
        scale, zero_point = scale_of_range(min(0.0, low), max(0.0, high))
        return torch.fake_quantize_per_tensor_affine(values, float(scale), zero_point, LOWEST, HIGHEST)


def rounded_weights(values: Tensor, tensor: IntegerTensor) -> Tensor:
    """Return weights rounded to the steps of their scales, which are those of the present largest ones."""
    rows = values.detach().abs().movedim(tensor.axis, 0).reshape(tensor.scales, -1)
    scales = (rows.amax(1) / HIGHEST).clamp(min=float(np.finfo(np.float32).tiny))
    if tensor.scales == 1:
        return torch.fake_quantize_per_tensor_affine(values, float(scales), 0, -HIGHEST, HIGHEST)
    zeros = torch.zeros_like(scales, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(values, scales, zeros, tensor.axis, -HIGHEST, HIGHEST)
