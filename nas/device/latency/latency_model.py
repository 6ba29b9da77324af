"""Latency predicted from the layers of a network, so that a limit costs no measurement per proposal."""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from nas.device.latency.layer_features import layer_features
from nas.genome.graph import Graph, PlacedOp

PICOSECONDS = 10**9  # in a millisecond; whole ones, so that a sum is the same in every order
STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
Amount = Annotated[float, Field(ge=0, le=1e12)]
Name = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=1_000)]


@dataclass(frozen=True, config=STRICT)
class HeldOutError:
    """How far predictions are from measurements of networks that the model was not fitted to.

    median, percentile_90: of the relative error |predicted / measured - 1|. margin: by how much 9 of 10 networks at
    most exceed their prediction, as a share of it, at least 0. rank_correlation: Spearman's. networks: how many.
    """

    median: Amount
    percentile_90: Amount
    margin: Amount
    rank_correlation: Annotated[float, Field(ge=-1, le=1)]
    networks: Annotated[int, Field(ge=2)]

    def __str__(self) -> str:
        return (
            f"median relative error {self.median:.1%}, 9 of 10 within {self.percentile_90:.1%}, "
            f"rank correlation {self.rank_correlation:.3f} on {self.networks} held-out networks"
        )


@dataclass(frozen=True, config=STRICT)
class LatencyModel:
    """A model of latency that adds up layers.

    provider: the name of what was measured; measured_on: its description. network_ms: what every network takes besides
    its layers. weights: milliseconds per unit by the kind of a layer and the quantity, see `LayerFeatures`; a quantity
    that is not there adds nothing, and a kind that is not there has the weights of its family. error: by
    cross-validation.
    """

    provider: Text
    measured_on: Text
    network_ms: Amount
    weights: dict[Name, dict[Name, Amount]]
    error: HeldOutError
    format: Literal["nas-latency/2"] = "nas-latency/2"

    def predict(self, graph: Graph) -> float:
        """Return the milliseconds that the network should take for one image, without auxiliary heads.

        Primitives and the same layers written out give exactly the same value.
        """
        layers = sum([self._picoseconds(node.placed) for node in graph.main.nodes])
        return self.network_ms + layers / PICOSECONDS

    def upper_estimate(self, predicted_ms: float) -> float:
        """Return the milliseconds that 9 of 10 networks of this prediction keep, by the error on held-out networks."""
        return predicted_ms * (1 + self.error.margin)

    def _layer_ms(self, placed: PlacedOp) -> float:
        found = layer_features(placed)
        if found is None:
            return 0.0
        weights = self.weights.get(found.kind, self.weights.get(found.family, {}))
        return sum([weights.get(name, 0.0) * value for name, value in found.numbers.items()])

    @cached_property
    def _picoseconds(self) -> Callable[[PlacedOp], int]:
        @lru_cache(maxsize=65_536)
        def picoseconds(placed: PlacedOp) -> int:
            if placed.body:
                return sum([picoseconds(node.placed) for node in placed.body.nodes])
            return round(PICOSECONDS * self._layer_ms(placed))

        return picoseconds
