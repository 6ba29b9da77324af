"""Gates: a factor per channel that is computed from the whole image."""

from dataclasses import dataclass
from typing import Literal

from nas.genome.activations import HardSigmoid, Sigmoid
from nas.genome.graph import Value
from nas.genome.hyperparameters import Width
from nas.genome.layers import AdaptivePool, Conv
from nas.genome.op_kinds import Primitive
from nas.genome.primitives.units import Activation, activate

Gate = Literal["sigmoid", "hardsigmoid"]


@dataclass(frozen=True)
class SqueezeExcite(Primitive):
    """The image times a gate per channel, from two layers over the means of all channels (Hu et al. 2018, fig. 1).

    MobileNetV3 gates by a sigmoid in straight lines, EfficientNet activates by SiLU.
    """

    width: Width
    activation: Activation = "relu"
    gate: Gate = "sigmoid"

    def expand(self, *inputs: Value) -> Value:
        (x,) = inputs
        y = Conv(self.width, 1, bias=True)(AdaptivePool(1)(x), name="squeeze")
        y = Conv(x.shape[0], 1, bias=True)(activate(y, self.activation), name="excite")
        return x * (Sigmoid() if self.gate == "sigmoid" else HardSigmoid())(y)
