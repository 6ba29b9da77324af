"""Two populations compared by the errors of their draws."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from nas.principles.claims.population import POPULATIONS, Population
from nas.principles.judging.statistics import holm

Array = NDArray[np.float64]
MIN_DRAWS = 5


@dataclass(frozen=True)
class PopulationComparison:
    """The two forms of a population.

    errors: (draws,) of each form, in points. gain: the median of the paired differences, positive when the first form
    is better. p, q: of Wilcoxon's signed-rank tests that it is better and worse, after Holm's correction over the
    populations.
    """

    population: Population
    errors: dict[str, Array]
    gain: float
    p: float
    q: float

    @property
    def outcome(self) -> Literal["supported", "refuted", "undecided"]:
        """Return the outcome at 5 %: refuted where the second form is better."""
        return "supported" if self.p < 0.05 else "refuted" if self.q < 0.05 else "undecided"


def compare_populations(errors: Mapping[str, dict[str, Array]]) -> list[PopulationComparison]:
    """Return a comparison of each population with at least five complete draws.

    errors: by key, then by form; NaN where a draw is missing.
    """
    complete = [(each, _complete_draws(errors[each.key])) for each in POPULATIONS if each.key in errors]
    complete = [(each, both) for each, both in complete if len(next(iter(both.values()))) >= MIN_DRAWS]
    gains = [second - first for first, second in (both.values() for _, both in complete)]
    better, worse = (holm([_signed_rank_p(sign * gain) for gain in gains]) for sign in (1, -1))
    return [
        PopulationComparison(population, both, float(np.median(gain)), p, q)
        for (population, both), gain, p, q in zip(complete, gains, better, worse, strict=True)
    ]


def _signed_rank_p(gain: Array) -> float:
    return float(wilcoxon(gain, alternative="greater").pvalue) if gain.any() else 1.0


def _complete_draws(errors: dict[str, Array]) -> dict[str, Array]:
    mask = ~np.isnan(np.array(list(errors.values()))).any(axis=0)
    return {name: values[mask] for name, values in errors.items()}


def band_height(count: int, level: float = 0.95) -> float:
    """Return half the height of a distribution's confidence band (Dvoretzky, Kiefer & Wolfowitz; Massart 1990)."""
    return sqrt(log(2 / (1 - level)) / (2 * count))
