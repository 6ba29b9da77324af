"""Populations: networks drawn from two spaces that differ in one principle, at one budget, and their errors compared.

A pair of matched networks may flatter a principle by its other choices; a population averages over them (Radosavovic
et al. 2019, 2020). Both members of a draw share every other choice and the seed, and both have their widths solved to
the MACs of one budget.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from nas.genome.graph import Graph, Value
from nas.genome.primitives import BasicBlock, ConvStack, ConvUnit, FcHead, GapHead, GridReduction, MaxPool, Stem
from nas.genome.trial import Trial
from nas.principles.claims.scale import STAGES, Scale, plain, solved, times
from nas.principles.judging.statistics import holm
from nas.search.propose.choices import GuidedTrial

Array = NDArray[np.float64]
Draw = Callable[[Scale, Trial, float], Graph]


@dataclass(frozen=True)
class Population:
    """A principle over a space: `arms` are the two forms, the one that should do better first."""

    key: str
    claim: str
    arms: Mapping[str, Draw]
    principle: str  # that it belongs to

    def graphs(self, canvas: Scale, number: int) -> dict[str, Graph]:
        """Draw `number` of both forms: one set of choices, and widths solved to the MACs of the plain network."""
        target = canvas.answer(plain(canvas))
        return {name: _fitted(draw, canvas, number, target) for name, draw in self.arms.items()}


def _fitted(draw: Draw, canvas: Scale, number: int, target: Graph) -> Graph:
    return solved(lambda factor: draw(canvas, GuidedTrial(random.Random(number)), factor), target)


def shape(canvas: Scale, trial: Trial, factor: float) -> tuple[list[int], list[int]]:
    """Widths and depths of three stages: how fast the widths grow, and how many layers each stage has."""
    growth = trial.suggest_float("growth", 1.2, 2.4)
    depths = [trial.suggest_int(f"depth{stage}", 1, 3) for stage in range(STAGES)]
    return [times(canvas.width, factor * growth**stage) for stage in range(STAGES)], depths


def dropout(trial: Trial) -> float:
    return trial.suggest_categorical("dropout", (0.0, 0.2))


def headed(canvas: Scale, x: Value, trial: Trial) -> Graph:
    return Graph.of(GapHead(canvas.task.classes, dropout(trial))(x))


def shortcuts(given: bool) -> Draw:
    """Basic blocks with shortcuts, or the same without."""

    def draw(canvas: Scale, trial: Trial, factor: float) -> Graph:
        widths, depths = shape(canvas, trial, factor)
        x = Stem(widths[0])(canvas.image())
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for place in range(2 * depth):
                x = BasicBlock(width, 2 if stage and not place else 1, "B" if given else "none")(x)
        return headed(canvas, x, trial)

    return draw


def kernels(small: bool) -> Draw:
    """Pairs of 3x3, or a 5x5 for each."""

    def draw(canvas: Scale, trial: Trial, factor: float) -> Graph:
        widths, depths = shape(canvas, trial, factor)
        x = canvas.image()
        for width, depth in zip(widths, depths, strict=True):
            x = ConvStack(width, 2 * depth)(x) if small else ConvStack(width, depth, 5)(x)
            x = MaxPool(2, 2)(x)
        return headed(canvas, x, trial)

    return draw


def heads(average: bool) -> Draw:
    """Stacks of 3x3 under an average, or under a fully connected layer."""

    def draw(canvas: Scale, trial: Trial, factor: float) -> Graph:
        widths, depths = shape(canvas, trial, factor)
        x = canvas.image()
        for width, depth in zip(widths, depths, strict=True):
            x = MaxPool(2, 2)(ConvStack(width, 1 + depth)(x))
        hidden = (canvas.width * trial.suggest_int("hidden", 2, 16),)
        return headed(canvas, x, trial) if average else Graph.of(FcHead(canvas.task.classes, hidden, dropout(trial))(x))

    return draw


def reductions(parallel: bool) -> Draw:
    """Stacks of 3x3, the grid halved by convolution and pooling side by side, or by pooling first."""

    def draw(canvas: Scale, trial: Trial, factor: float) -> Graph:
        widths, depths = shape(canvas, trial, factor)
        x = ConvStack(widths[0], 1 + depths[0])(canvas.image())
        for width, depth in zip(widths[1:], depths[1:], strict=True):
            x = GridReduction(max(width, x.shape[0] + 1), "parallel" if parallel else "pool first")(x)
            x = ConvUnit(width)(x) if depth == 1 else ConvStack(width, depth)(x)
        return headed(canvas, x, trial)

    return draw


POPULATIONS = (
    Population("p01", "Pairs of 3x3 against 5x5", {"3x3 pairs": kernels(True), "5x5": kernels(False)}, "h01"),
    Population("p05", "Parallel grid reduction against pooling first",
               {"parallel": reductions(True), "pool first": reductions(False)}, "h05"),
    Population("p10", "Shortcuts against none", {"residual": shortcuts(True), "plain": shortcuts(False)}, "h10"),
    Population("p17", "Average against fully connected head",
               {"average": heads(True), "connected": heads(False)}, "h17"),
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Two populations. errors: (draws,) each, in points. gain: the median of the paired differences, positive for the
    first form. p, q: Wilcoxon's signed-rank tests that it is better and worse, Holm-corrected over the populations."""

    population: Population
    errors: dict[str, Array]
    gain: float
    p: float
    q: float

    @property
    def word(self) -> Literal["supported", "refuted", "undecided"]:
        """At 5 %; refuted where the other form is better."""
        return "supported" if self.p < 0.05 else "refuted" if self.q < 0.05 else "undecided"


def compare(errors: Mapping[str, dict[str, Array]]) -> list[Comparison]:
    """The populations of which at least five draws are complete. errors: by key, then by form, NaN where missing."""
    known = [(population, _complete(errors[population.key])) for population in POPULATIONS if population.key in errors]
    known = [(population, both) for population, both in known if len(next(iter(both.values()))) >= 5]
    pairs = [list(both.values()) for _, both in known]
    gains = [b - a for a, b in pairs]
    better, worse = (holm([_rank_test(sign * gain) for gain in gains]) for sign in (1, -1))
    return [
        Comparison(population, both, float(np.median(gain)), p, q)
        for (population, both), gain, p, q in zip(known, gains, better, worse, strict=True)
    ]


def _rank_test(gain: Array) -> float:
    """P of gains like these where there are none."""
    return float(wilcoxon(gain, alternative="greater").pvalue) if gain.any() else 1.0


def _complete(errors: dict[str, Array]) -> dict[str, Array]:
    whole = ~np.isnan(np.array(list(errors.values()))).any(axis=0)
    return {name: values[whole] for name, values in errors.items()}


def band(count: int, level: float = 0.95) -> float:
    """Half the height of the band around an empirical distribution (Dvoretzky, Kiefer & Wolfowitz; Massart 1990)."""
    return sqrt(log(2 / (1 - level)) / (2 * count))
