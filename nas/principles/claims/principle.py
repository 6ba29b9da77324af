"""A principle: a claim of a paper, matched networks that differ in nothing else, and bounds that test it.

Every claim here is one or several bounds on linear contrasts of the arms' results. A paired difference, an
interaction, a trend and an interior optimum differ in their weights; an equivalence is two bounds, one on each side
(Schuirmann 1987). A claim of several bounds holds when all of them do (Berger 1982).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nas.errors import GenomeError
from nas.genome.graph import Graph
from nas.principles.claims.scale import Quantity, Scale, network_count, relative_gap

Build = Callable[[Scale], Graph]
Kind = Literal["difference", "interaction", "equivalence", "trend", "interior optimum"]
Metric = Literal["error", "train_loss", "early_loss"]
"""Validation error in points; mean training loss in nats, of the last epoch or of the epoch after a fifth of them."""

UNITS: dict[Metric, str] = {"error": "points", "train_loss": "nats", "early_loss": "nats"}


@dataclass(frozen=True)
class Bound:
    """The claim that a contrast of the arms exceeds `null`; positive values support the principle.

    margin: the smallest effect of interest; an effect reliably below it refutes the claim. expected: the effect for
    which power is stated. All in units of the metric; errors in points.
    """

    weights: Mapping[str, float]
    null: float
    margin: float
    expected: float
    metric: Metric = "error"

    @property
    def name(self) -> str:
        """Return the contrast in words: `error of A - error of B`."""
        parts = [f"{'-' if weight < 0 else '+'} {_times(weight)}{arm}" for arm, weight in self.sorted_weights]
        return " ".join(parts).removeprefix("+ ")

    @property
    def resolution(self) -> float:
        """Return the difference to detect: from the null to the margin or, if equal, to the expected effect."""
        return (self.margin if self.margin > self.null else self.expected) - self.null

    @property
    def sorted_weights(self) -> list[tuple[str, float]]:
        """Return arms and weights, positive weights first."""
        return sorted(self.weights.items(), key=lambda item: item[1] < 0)


def _times(weight: float) -> str:
    return "" if abs(weight) == 1 else f"{abs(weight):g} x "


@dataclass(frozen=True)
class Match:
    """A count that some arms share within a relative tolerance; 0 is exact."""

    quantity: Quantity
    tolerance: float
    arms: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.quantity} {f'within {self.tolerance:.1%}' if self.tolerance else 'exactly'}"


@dataclass(frozen=True)
class Principle:
    """A claim with its citation, its arms and its test.

    paper: the effect that the paper reports, in points in the direction of the first bound; `paper_note`: on which
    data. caveat: what else differs between the arms. unmatched: why the arms are not matched, if so. control: checks
    the machinery, and is not counted as a claim. offsets: an arm's seeds are shifted by this many times the number of
    seeds.
    """

    key: str
    claim: str
    citation: str
    kind: Kind
    arms: Mapping[str, Build]
    bounds: tuple[Bound, ...]
    matches: tuple[Match, ...] = ()
    paper: float | None = None
    paper_note: str = ""
    caveat: str = ""
    unmatched: str = ""
    control: bool = False
    offsets: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the key, the name in the registry."""
        return self.key

    @property
    def summary(self) -> str:
        """Return the claim, as a list of the registry shows it."""
        return self.claim

    def graphs(self, scale: Scale) -> dict[str, Graph]:
        """Return the checked network of each arm. Raises GenomeError when they are not matched as stated."""
        graphs = {name: build(scale) for name, build in self.arms.items()}
        for graph in graphs.values():
            scale.task.check(graph)
        for match in self.matches:
            gap = relative_gap([graphs[name] for name in match.arms], match.quantity)
            if gap > match.tolerance:
                counts = ", ".join(f"{name} {network_count(graphs[name], match.quantity):,}" for name in match.arms)
                raise GenomeError(
                    f"{self.key}: {match.quantity} differ by {gap:.1%}, more than {match.tolerance:.1%} ({counts}); "
                    "choose another `width`, or a larger one, at which they can be matched"
                )
        return graphs


def better(good: str, bad: str, margin: float, expected: float, metric: Metric = "error") -> Bound:
    """Return the bound that one arm is better than another."""
    return Bound({bad: 1.0, good: -1.0}, 0.0, margin, expected, metric)


def no_worse(good: str, bad: str, margin: float, expected: float = 0.0, metric: Metric = "error") -> Bound:
    """Return the bound that one arm is worse than another by less than the margin (non-inferiority)."""
    return Bound({bad: 1.0, good: -1.0}, -margin, -margin, expected, metric)


def equivalent(one: str, other: str, margin: float, metric: Metric = "error") -> tuple[Bound, Bound]:
    """Return the two bounds that arms differ by less than the margin: two one-sided tests (Schuirmann 1987)."""
    return no_worse(one, other, margin, metric=metric), no_worse(other, one, margin, metric=metric)


def interaction(harmed: tuple[str, str], spared: tuple[str, str], margin: float, expected: float) -> Bound:
    """Return the bound that the second of a pair loses more against the first in `harmed` than in `spared` (2 x 2)."""
    weights = {harmed[1]: 1.0, harmed[0]: -1.0, spared[1]: -1.0, spared[0]: 1.0}
    return Bound(weights, 0.0, margin, expected)


def falls(arms: tuple[str, ...], margin: float, expected: float) -> Bound:
    """Return the bound that the error falls along the arms, by a straight line from the first to the last."""
    centered = [index - (len(arms) - 1) / 2 for index in range(len(arms))]
    norm = (len(arms) - 1) / sum(x**2 for x in centered)
    weights = {arm: -x * norm for arm, x in zip(arms, centered, strict=True) if x}
    return Bound(weights, 0.0, margin, expected)


def interior(ends: tuple[str, str], inside: tuple[str, ...], margin: float, expected: float) -> tuple[Bound, ...]:
    """Return the bounds that both ends are worse than the mean of the arms between them."""
    middle = dict.fromkeys(inside, -1 / len(inside))
    return tuple(Bound({end: 1.0, **middle}, 0.0, margin, expected) for end in ends)
