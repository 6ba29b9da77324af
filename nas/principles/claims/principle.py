"""A principle: a claim of a paper, the matched arms that test it, and the bounds that it claims.

Every claim here is one or several bounds on linear contrasts of the arms' results. A paired difference, an
interaction, a trend and an interior optimum differ in their weights; an equivalence is two bounds, one on each side
(Schuirmann 1987). Each bound is judged on its own, and a claim follows from its bounds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nas.errors import GenomeError
from nas.genome.graph import Graph
from nas.principles.claims.setting import Quantity, Setting, network_count, relative_gap
from nas.search.trial import RecipeValue

Build = Callable[[Setting], Graph]
Kind = Literal["difference", "interaction", "equivalence", "trend", "interior optimum"]
Metric = Literal["error", "train_loss", "early_loss"]
"""Validation error; mean training loss, of the last epoch or of the epoch after a fifth of them."""
Sense = Literal["better", "no worse"]

UNITS: dict[Metric, str] = {"error": "%", "train_loss": "nats", "early_loss": "nats"}
"""Of a contrast. That of errors is in percent of the error: a point is little at an error of 35 % and much at 10 %."""


@dataclass(frozen=True)
class Bound:
    """The claim that a contrast of the arms exceeds a threshold; positive values support the principle.

    sense: "better" claims a difference that is worth it, "no worse" that no such difference is lost. What a difference
    must be to be worth it is the study's. expected: the effect for which power is stated, in UNITS.
    """

    weights: Mapping[str, float]
    sense: Sense
    expected: float
    metric: Metric = "error"

    @property
    def name(self) -> str:
        """Return the contrast in words: `error of A - error of B`."""
        parts = [f"{'-' if weight < 0 else '+'} {_times(weight)}{arm}" for arm, weight in self.sorted_weights]
        return " ".join(parts).removeprefix("+ ")

    @property
    def sorted_weights(self) -> list[tuple[str, float]]:
        """Return arms and weights, positive weights first."""
        return sorted(self.weights.items(), key=lambda item: item[1] < 0)

    @property
    def weight_sum(self) -> float:
        """Return the sum of squared weights: the variance of the contrast where each arm's is 1."""
        return sum(weight**2 for weight in self.weights.values())


def _times(weight: float) -> str:
    return "" if abs(weight) == 1 else f"{abs(weight):g} x "


@dataclass(frozen=True)
class Arm:
    """A network as a function of the setting, and how its training differs from that of the other arms.

    recipe: settings that differ from the study's. handicap: percent of its error that are added to it, of a
    control whose effect is known.
    """

    build: Build
    recipe: Mapping[str, RecipeValue] = field(default_factory=dict)
    handicap: float = 0.0


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

    arms: a function of the setting each, or an `Arm` where its training differs too. paper: the effect that the paper
    reports, in points of error in the direction of the first bound; `paper_note`: on which data. caveat: what else
    differs between the arms. unmatched: why the arms are not matched, if so. enlarged: on images of how many times the
    study's side it is tested. control: the known effect, of a claim that checks the machinery and is not counted.
    """

    key: str
    claim: str
    citation: str
    kind: Kind
    arms: Mapping[str, Build | Arm]
    bounds: tuple[Bound, ...]
    matches: tuple[Match, ...] = ()
    paper: float | None = None
    paper_note: str = ""
    caveat: str = ""
    unmatched: str = ""
    enlarged: int = 1
    control: float | None = None

    @property
    def name(self) -> str:
        """Return the key, the name in the registry."""
        return self.key

    @property
    def summary(self) -> str:
        """Return the claim, as a list of the registry shows it."""
        return self.claim

    def arm(self, name: str) -> Arm:
        """Return an arm."""
        arm = self.arms[name]
        return arm if isinstance(arm, Arm) else Arm(arm)

    def graphs(self, setting: Setting) -> dict[str, Graph]:
        """Return the checked network of each arm.

        Raises GenomeError when they are not matched as stated, and BudgetError where no width matches them.
        """
        setting = setting.enlarged(self.enlarged)
        graphs = {name: self.arm(name).build(setting) for name in self.arms}
        for graph in graphs.values():
            setting.task.check(graph)
        for match in self.matches:
            gap = relative_gap([graphs[name] for name in match.arms], match.quantity)
            if gap > match.tolerance:
                counts = ", ".join(f"{name} {network_count(graphs[name], match.quantity):,}" for name in match.arms)
                raise GenomeError(
                    f"{self.key}: {match.quantity} differ by {gap:.1%}, more than {match.tolerance:.1%} ({counts}); "
                    "choose another `width`, or a larger one, at which they can be matched"
                )
        return graphs


def better(good: str, bad: str, expected: float, metric: Metric = "error") -> Bound:
    """Return the bound that one arm is better than another, by more than what is worth it."""
    return Bound({bad: 1.0, good: -1.0}, "better", expected, metric)


def no_worse(good: str, bad: str, expected: float = 0.0, metric: Metric = "error") -> Bound:
    """Return the bound that one arm is worse than another by less than what is worth it (non-inferiority)."""
    return Bound({bad: 1.0, good: -1.0}, "no worse", expected, metric)


def equivalent(one: str, other: str, metric: Metric = "error") -> tuple[Bound, Bound]:
    """Return the two bounds that arms differ by less than what is worth it: two one-sided ones (Schuirmann 1987)."""
    return no_worse(one, other, metric=metric), no_worse(other, one, metric=metric)


def interaction(harmed: tuple[str, str], spared: tuple[str, str], expected: float) -> Bound:
    """Return the bound that the second of a pair loses more against the first in `harmed` than in `spared` (2 x 2)."""
    weights = {harmed[1]: 1.0, harmed[0]: -1.0, spared[1]: -1.0, spared[0]: 1.0}
    return Bound(weights, "better", expected)


def falls(arms: tuple[str, ...], expected: float) -> Bound:
    """Return the bound that the error falls along the arms, by a straight line from the first to the last."""
    centered = [index - (len(arms) - 1) / 2 for index in range(len(arms))]
    norm = (len(arms) - 1) / sum(x**2 for x in centered)
    weights = {arm: -x * norm for arm, x in zip(arms, centered, strict=True) if x}
    return Bound(weights, "better", expected)


def interior(ends: tuple[str, str], inside: tuple[str, ...], expected: float) -> tuple[Bound, ...]:
    """Return the bounds that both ends are worse than the mean of the arms between them."""
    middle = dict.fromkeys(inside, -1 / len(inside))
    return tuple(Bound({end: 1.0, **middle}, "better", expected) for end in ends)
