"""Quantization-aware fine-tuning: a few epochs in which a network trains as what it will be in 8-bit integers."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from nas.device.fake_quantization import FakeQuantized
from nas.device.float_constants import Array, LayerWeights, float_constants
from nas.device.integer_graph import IntegerGraph
from nas.device.quantize import QuantizedNetwork
from nas.errors import TrainingError
from nas.training.data import Data
from nas.training.recipe import Recipe
from nas.training.train import Training

RATE = 0.01
"""Of the learning rate of the search: the weights only have to move to other steps of their scales."""


@dataclass(frozen=True)
class FineTuning:
    """How a network is fine-tuned: for so many epochs, with the recipe of its training."""

    epochs: int
    recipe: Recipe
    seed: int

    def __str__(self) -> str:
        epochs = f"{self.epochs} epoch{'s' if self.epochs > 1 else ''}"
        return f"{epochs} on training images, at {RATE:g} of the learning rate of the search; batch norm folded"

    def apply(
        self, graph: IntegerGraph, weights: LayerWeights, data: Data, calibration: Array, info: Callable[[str], None]
    ) -> QuantizedNetwork:
        """Return a trained network in integers after fine-tuning on training images.

        Activations get their scales, those of the calibration images, before every epoch. It is a training of the
        toolkit's own, in float32 on the CPU, without a mean of weights: that would not be on the steps of a scale.
        Raises DeviceError when the weights are not those of the graph, and TrainingError when it diverges.
        """
        network = FakeQuantized(graph, float_constants(graph, weights), calibration)
        training = Training(network, data, self._recipe(), self.seed)
        for epoch in range(1, self.epochs + 1):
            if epoch > 1:
                network.calibrate()
            score = training.epoch()
            if score.diverged:
                raise TrainingError(f"fine-tuning diverged in epoch {epoch}; export without --qat")
            info(f"fine-tuning, epoch {epoch} of {self.epochs}: validation error {score.error:.4f}")
        return network.quantized()

    def _recipe(self) -> Recipe:
        return replace(
            self.recipe, epochs=self.epochs, learning_rate=RATE * self.recipe.learning_rate, precision="float32",
            ema_decay=0.0, compile=False,
        )  # fmt: skip
