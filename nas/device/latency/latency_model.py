"""Latency predicted from the layers of a network, so that a limit costs no measurement per proposal."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from nas.device.latency.layer_features import layer_features
from nas.errors import LatencyError
from nas.files import atomic_write, read_text
from nas.genome.graph import Graph, PlacedOp

MAX_BYTES = 1_000_000
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
    format: Literal["nas-latency/1"] = "nas-latency/1"

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


_MODEL = TypeAdapter(LatencyModel)


def save_latency_model(model: LatencyModel, file: Path) -> None:
    """Write a model as JSON. Raises OSError, naming the file."""
    atomic_write(file, json.dumps(asdict(model), indent=1) + "\n")


def load_latency_model(file: Path) -> LatencyModel:
    """Return the model in a file, which is checked and never executed. Raises LatencyError, naming file and fault."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise LatencyError(f"{file}: larger than {MAX_BYTES:,} bytes; this is not a model of latency")
        return _MODEL.validate_json(read_text(file))
    except OSError as problem:
        raise LatencyError(f"{file}: {problem.strerror or problem}") from None
    except UnicodeDecodeError as problem:
        raise LatencyError(f"{file}: not JSON: {problem}") from None
    except ValidationError as problems:
        first = problems.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise LatencyError(f"{file}: {f'`{place:.100}`: ' if place else ''}{first['msg']:.200}") from None
