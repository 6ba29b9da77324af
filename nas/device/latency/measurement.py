"""The one contract of latency: what a provider measures of a network, and how repeatable that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Protocol

from nas.genome.graph import Graph

FENCE = 1.5  # interquartile ranges above the third quartile (Tukey 1977, section 2D); slower repeats are discarded
MIN_QUARTILES = 4  # repeats from which quartiles are told


@dataclass(frozen=True)
class Latency:
    """How long a network takes for one image, in milliseconds.

    median_ms: of the repeats kept. spread_ms: their interquartile range; 0 for fewer than 4 repeats, and where the
    provider is deterministic. repeats: how many were kept. outliers: how many were discarded as too slow, because the
    machine did something else.
    """

    median_ms: float
    spread_ms: float
    repeats: int
    outliers: int = 0

    @classmethod
    def of_repeats(cls, milliseconds: Sequence[float]) -> "Latency":
        """Return the latency of repeats, without those above the fence. Raises ValueError for no repeats."""
        if not milliseconds:
            raise ValueError("a latency needs at least one repeat")
        if len(milliseconds) < MIN_QUARTILES:
            return cls(median(milliseconds), 0.0, len(milliseconds))
        first, _, third = quantiles(milliseconds, n=4, method="inclusive")
        kept = [each for each in milliseconds if each <= third + FENCE * (third - first)]
        low, _, high = quantiles(kept, n=4, method="inclusive")
        return cls(median(kept), high - low, len(kept), len(milliseconds) - len(kept))

    def __str__(self) -> str:
        return f"{self.median_ms:.3f} ms ({self.details})"

    @property
    def details(self) -> str:
        """Return spread and repeats: `spread 0.012, 30 repeats, 2 discarded`."""
        discarded = f", {self.outliers} discarded" if self.outliers else ""
        return f"spread {self.spread_ms:.3f}, {self.repeats} repeats{discarded}"


class LatencyProvider(Protocol):
    """What measures networks: a processor, a simulator, a board."""

    def measure(self, *graphs: Graph) -> list[Latency]:
        """Return the latency of each network, in order. Several may be measured in turns, to share slow moments.

        Raises LatencyError, with the remedy, where a network cannot be measured.
        """

    def description(self) -> str:
        """Return in a line what is measured on: the processor, the runtime and its version."""


def relative_difference(first: Sequence[Latency], second: Sequence[Latency]) -> float:
    """Return the median over networks of the difference of two medians, as a share of the smaller one."""
    pairs = [(a.median_ms, b.median_ms) for a, b in zip(first, second, strict=True)]
    return median(max(pair) / min(pair) - 1 for pair in pairs)
