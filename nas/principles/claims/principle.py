"""A principle: a claim of a paper, the matched networks that differ in it alone, and what would speak against it.

Every claim here is one or several bounds on linear contrasts of the arms' results. A paired difference, an
interaction, a trend and an interior optimum differ in their weights; an equivalence is two bounds, one on each side
(Schuirmann 1987). A claim of several bounds holds when all of them do (Berger 1982).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nas.errors import GenomeError
from nas.genome.graph import Graph
from nas.principles.claims.scale import Quantity, Scale, counted, gap

Build = Callable[[Scale], Graph]
Kind = Literal["difference", "interaction", "equivalence", "trend", "interior optimum"]
Metric = Literal["error", "train_loss", "early_loss"]
"""Validation error in points, mean training loss of the last epoch in nats, or of the epoch a fifth of the way in."""

UNITS: dict[Metric, str] = {"error": "points", "train_loss": "nats", "early_loss": "nats"}


@dataclass(frozen=True)
class Bound:
    """The claim that a contrast of the arms exceeds `null`; positive speaks for the principle.

    margin: the least effect that the claim is worth; it is refuted where the effect is reliably below. expected: what
    power is stated for. All in units of the metric; errors in points.
    """

    weights: Mapping[str, float]
    null: float
    margin: float
    expected: float
    metric: Metric = "error"

    @property
    def name(self) -> str:
        """The contrast in words: `error of A - error of B`."""
        parts = [f"{'- ' if w < 0 else '+ ' if i else ''}{_times(w)}{arm}" for i, (arm, w) in enumerate(self.ordered)]
        return " ".join(parts)

    @property
    def resolution(self) -> float:
        """The difference that has to be told: the margin from the null, or, where they are one, what is expected."""
        return (self.margin if self.margin > self.null else self.expected) - self.null

    @property
    def ordered(self) -> list[tuple[str, float]]:
        """Arms and weights, positive ones first."""
        return sorted(self.weights.items(), key=lambda item: item[1] < 0)


def _times(weight: float) -> str:
    return "" if abs(weight) == 1 else f"{abs(weight):g} x "


@dataclass(frozen=True)
class Match:
    """A count that some arms share up to a tolerance, a share of it; 0 is to the unit."""

    quantity: Quantity
    tolerance: float
    arms: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.quantity} {f'within {self.tolerance:.1%}' if self.tolerance else 'to the unit'}"


@dataclass(frozen=True)
class Principle:
    """A claim with its citation, its arms and its test.

    paper: the effect the paper reports, in points in the direction of the first bound, with `paper_note` saying on
    what. watch: what else differs between the arms. An unmatched principle says in `unmatched` why. A control checks
    the machinery and is no member of the family. offsets: by how many looks' seeds an arm's seeds lie apart.
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
    watch: str = ""
    unmatched: str = ""
    control: bool = False
    offsets: Mapping[str, int] = field(default_factory=dict)

    def graphs(self, canvas: Scale) -> dict[str, Graph]:
        """The arms drawn and checked. Raises GenomeError when they are not matched as stated."""
        drawn = {name: build(canvas) for name, build in self.arms.items()}
        for graph in drawn.values():
            canvas.task.check(graph)
        for match in self.matches:
            apart = gap([drawn[name] for name in match.arms], match.quantity)
            if apart > match.tolerance:
                counts = ", ".join(f"{name} {counted(drawn[name], match.quantity):,}" for name in match.arms)
                raise GenomeError(
                    f"{self.key}: {match.quantity} differ by {apart:.1%}, more than {match.tolerance:.1%} ({counts}); "
                    "choose another `width`, or a larger one, at which they can be matched"
                )
        return drawn


def better(good: str, bad: str, margin: float, expected: float, metric: Metric = "error") -> Bound:
    """One arm does better than another."""
    return Bound({bad: 1.0, good: -1.0}, 0.0, margin, expected, metric)


def no_worse(good: str, bad: str, margin: float, expected: float = 0.0, metric: Metric = "error") -> Bound:
    """One arm is worse than another by less than the margin (non-inferiority)."""
    return Bound({bad: 1.0, good: -1.0}, -margin, -margin, expected, metric)


def equivalent(one: str, other: str, margin: float, metric: Metric = "error") -> tuple[Bound, Bound]:
    """Two arms differ by less than the margin either way: two one-sided tests (Schuirmann 1987)."""
    return no_worse(one, other, margin, metric=metric), no_worse(other, one, margin, metric=metric)


def interaction(harmed: tuple[str, str], spared: tuple[str, str], margin: float, expected: float) -> Bound:
    """What the second of a pair loses against the first is more in `harmed` than in `spared`: a 2 x 2 design."""
    weights = {harmed[1]: 1.0, harmed[0]: -1.0, spared[1]: -1.0, spared[0]: 1.0}
    return Bound(weights, 0.0, margin, expected)


def falls(arms: tuple[str, ...], margin: float, expected: float) -> Bound:
    """The error falls along the arms: the fall between first and last of a straight line through them."""
    places = [place - (len(arms) - 1) / 2 for place in range(len(arms))]
    scale = (len(arms) - 1) / sum(place**2 for place in places)
    weights = {arm: -place * scale for arm, place in zip(arms, places, strict=True) if place}
    return Bound(weights, 0.0, margin, expected)


def interior(ends: tuple[str, str], inside: tuple[str, ...], margin: float, expected: float) -> tuple[Bound, ...]:
    """Both ends are worse than the mean of what lies between them."""
    middle = dict.fromkeys(inside, -1 / len(inside))
    return tuple(Bound({end: 1.0, **middle}, 0.0, margin, expected) for end in ends)
