"""Populations: networks drawn from two spaces that differ in one principle, at one budget.

The other choices of a pair of matched networks may favor one side; a population averages over them (Radosavovic et
al. 2019, 2020). Both members of a draw share every other choice and the seed, and the widths of both are solved to
the MACs of one budget.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nas.genome.graph import Graph, Value
from nas.genome.primitives import BasicBlock, ConvStack, ConvUnit, FcHead, GapHead, GridReduction, MaxPool, Stem
from nas.genome.trial import Trial
from nas.principles.claims.scale import STAGES, Scale, plain_features, solve_width, times
from nas.search.propose.choices import GuidedTrial

Form = Callable[[Scale, Trial, float], Graph]
"""Returns a network from the scale, the choices of a draw and a factor of all widths."""


@dataclass(frozen=True)
class Population:
    """A principle over a space. forms: two, the one that should be better first. principle: its key."""

    key: str
    claim: str
    forms: Mapping[str, Form]
    principle: str

    def graphs(self, scale: Scale, number: int) -> dict[str, Graph]:
        """Return draw `number` in both forms: the same choices, and widths solved to the MACs of the plain network."""
        target = scale.classifier(plain_features(scale))
        return {name: _fit_width(form, scale, number, target) for name, form in self.forms.items()}


def _fit_width(form: Form, scale: Scale, number: int, target: Graph) -> Graph:
    return solve_width(lambda factor: form(scale, GuidedTrial(random.Random(number)), factor), target)


def draw_stages(scale: Scale, trial: Trial, factor: float) -> tuple[list[int], list[int]]:
    """Return widths and depths of three stages: one growth of widths, and a number of layers per stage."""
    growth = trial.suggest_float("growth", 1.2, 2.4)
    depths = [trial.suggest_int(f"depth{stage}", 1, 3) for stage in range(STAGES)]
    return [times(scale.width, factor * growth**stage) for stage in range(STAGES)], depths


def draw_dropout(trial: Trial) -> float:
    """Return the dropout before the last layer."""
    return trial.suggest_categorical("dropout", (0.0, 0.2))


def add_head(scale: Scale, x: Value, trial: Trial) -> Graph:
    """Return the network with global average pooling and the dropout of the draw."""
    return Graph.of(GapHead(scale.task.classes, draw_dropout(trial))(x))


def shortcut_form(with_shortcuts: bool) -> Form:
    """Return the form of basic blocks with shortcuts, or without."""

    def build(scale: Scale, trial: Trial, factor: float) -> Graph:
        widths, depths = draw_stages(scale, trial, factor)
        x = Stem(widths[0])(scale.image())
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for block in range(2 * depth):
                x = BasicBlock(width, 2 if stage and not block else 1, "B" if with_shortcuts else "none")(x)
        return add_head(scale, x, trial)

    return build


def kernel_form(small: bool) -> Form:
    """Return the form of pairs of 3x3, or of a 5x5 for each pair."""

    def build(scale: Scale, trial: Trial, factor: float) -> Graph:
        widths, depths = draw_stages(scale, trial, factor)
        x = scale.image()
        for width, depth in zip(widths, depths, strict=True):
            x = ConvStack(width, 2 * depth)(x) if small else ConvStack(width, depth, 5)(x)
            x = MaxPool(2, 2)(x)
        return add_head(scale, x, trial)

    return build


def head_form(average: bool) -> Form:
    """Return the form of stacks of 3x3 with a head of average pooling, or with a fully connected layer."""

    def build(scale: Scale, trial: Trial, factor: float) -> Graph:
        widths, depths = draw_stages(scale, trial, factor)
        x = scale.image()
        for width, depth in zip(widths, depths, strict=True):
            x = MaxPool(2, 2)(ConvStack(width, 1 + depth)(x))
        hidden = (scale.width * trial.suggest_int("hidden", 2, 16),)
        if average:
            return add_head(scale, x, trial)
        return Graph.of(FcHead(scale.task.classes, hidden, draw_dropout(trial))(x))

    return build


def reduction_form(parallel: bool) -> Form:
    """Return the form of stacks of 3x3 whose grid is halved by parallel reduction, or by pooling first."""

    def build(scale: Scale, trial: Trial, factor: float) -> Graph:
        widths, depths = draw_stages(scale, trial, factor)
        x = ConvStack(widths[0], 1 + depths[0])(scale.image())
        for width, depth in zip(widths[1:], depths[1:], strict=True):
            x = GridReduction(max(width, x.shape[0] + 1), "parallel" if parallel else "pool first")(x)
            x = ConvUnit(width)(x) if depth == 1 else ConvStack(width, depth)(x)
        return add_head(scale, x, trial)

    return build


POPULATIONS = (
    Population("p01", "Pairs of 3x3 against 5x5", {"3x3 pairs": kernel_form(True), "5x5": kernel_form(False)}, "h01"),
    Population("p05", "Parallel grid reduction against pooling first",
               {"parallel": reduction_form(True), "pool first": reduction_form(False)}, "h05"),
    Population("p10", "Shortcuts against none",
               {"residual": shortcut_form(True), "plain": shortcut_form(False)}, "h10"),
    Population("p17", "Average against fully connected head",
               {"average": head_form(True), "connected": head_form(False)}, "h17"),
)  # fmt: skip
