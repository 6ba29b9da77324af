"""From results to verdicts: supported, refuted, or undecided, for each principle and with its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas.principles.family import Design
from nas.principles.principle import Bound, Metric, Principle
from nas.principles.statistics import Estimate, estimate, holm, joint_power, sampling_error, seeds_for
from nas.training.score import Score

Word = Literal["supported", "refuted", "undecided"]


@dataclass(frozen=True)
class Result:
    """One training. error: in points. train_loss, early_loss: in nats. wrong: (images,), or None where not kept."""

    error: float
    train_loss: float
    early_loss: float
    scores: tuple[Score, ...] = ()
    wrong: NDArray[np.bool_] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, scores: tuple[Score, ...], wrong: NDArray[np.bool_] | None = None) -> "Result":
        """From the scores of a training that came to its end."""
        early = scores[ceil(len(scores) / 5) - 1]
        return cls(100 * scores[-1].error, scores[-1].train_loss, early.train_loss, scores, wrong)


Results = Mapping[str, Sequence[Result | None]]
"""Of one principle: by arm, a result for each seed in order; None where a training failed or is still to come."""


@dataclass(frozen=True)
class Finding:
    """A bound's estimate. images: the standard error that the validation images alone leave, or None."""

    bound: Bound
    estimate: Estimate
    images: float | None


@dataclass(frozen=True)
class Verdict:
    """What became of a principle.

    p, q: of the tests that it holds and that it fails, after the looks and Holm's correction over the family. alpha: of
    one test at one look.
    """

    principle: Principle
    word: Word
    findings: tuple[Finding, ...] = ()
    p: float = 1.0
    q: float = 1.0
    alpha: float = 0.05

    @property
    def needed(self) -> int | None:
        """Seeds that would decide an undecided claim if its effects are those expected, by the deviations seen.

        At the power promised; None where a thousand are too few, and where there is nothing to decide.
        """
        if self.word != "undecided" or not self.findings:
            return None
        return seeds_for([(f.bound.expected - f.bound.null, f.estimate.sd) for f in self.findings], self.alpha)

    @property
    def seeds(self) -> int:
        """Seeds that the verdict rests on."""
        return min((finding.estimate.seeds for finding in self.findings), default=0)


def scaled(bound: Bound, points: float) -> Bound:
    """A bound with its points worth so many of this study's."""
    if bound.metric != "error":
        return bound
    return replace(bound, null=bound.null * points, margin=bound.margin * points, expected=bound.expected * points)


def values(bound: Bound, results: Results, seeds: int) -> list[float]:
    """The contrast under each seed, the first `seeds` at most, where every arm has a result."""
    rows = zip(*(results[arm][:seeds] for arm in bound.weights), strict=True)
    return [_contrast(bound, whole) for row in rows if len(whole := [each for each in row if each]) == len(row)]


def _contrast(bound: Bound, row: Sequence[Result]) -> float:
    measured = [float(getattr(result, bound.metric)) for result in row]
    return sum(weight * value for weight, value in zip(bound.weights.values(), measured, strict=True))


def images_error(bound: Bound, results: Results, seeds: int) -> float | None:
    """The sampling error of a contrast of errors, in points; None where the answers were not kept."""
    if bound.metric != "error":
        return None
    total: NDArray[np.float64] | float = 0.0
    for arm, weight in bound.weights.items():
        kept = [result.wrong for result in results[arm][:seeds] if result and result.wrong is not None]
        if not kept:
            return None
        total = total + weight * np.mean(kept, axis=0)
    return 100 * sampling_error(np.asarray(total))


def look(principle: Principle, results: Results, design: Design, seeds: int) -> tuple[Finding, ...]:
    """The findings on the first `seeds` seeds; none when fewer than two are complete."""
    level = 1 - design.alpha / len(design.looks)
    found = []
    for bound in (scaled(bound, design.points) for bound in principle.bounds):
        seen = values(bound, results, seeds)
        if len(seen) < 2:
            return ()
        images = images_error(bound, results, seeds)
        found.append(Finding(bound, estimate(seen, bound.null, bound.margin, level), images))
    return tuple(found)


def chances(findings: Sequence[Finding], looks: int) -> tuple[float, float]:
    """P that all bounds hold and that some bound fails, corrected for the number of looks (Bonferroni)."""
    if not findings:
        return 1.0, 1.0
    p = max(finding.estimate.p for finding in findings)
    q = len(findings) * min(finding.estimate.q for finding in findings)
    return min(1.0, looks * p), min(1.0, looks * q)


def settled(principle: Principle, results: Results, design: Design, members: int) -> tuple[Finding, ...]:
    """The findings at the first look that decides, or else at the last.

    A look decides alone only at the level that every member of the family could claim, so that what is settled stays
    settled whatever becomes of the others.
    """
    findings: tuple[Finding, ...] = ()
    for seeds in design.looks:
        findings = look(principle, results, design, seeds)
        if min(chances(findings, len(design.looks))) * members < design.alpha:
            break
    return findings


def size(principles: Sequence[Principle]) -> int:
    """Members of the family; controls are none."""
    return max(1, sum(not principle.control for principle in principles))


def decided(principle: Principle, results: Results, design: Design, members: int, seeds: int) -> bool:
    """Whether no more seeds than these are needed."""
    members = 1 if principle.control else members
    passed = [at for at in design.looks if at <= seeds]
    return any(
        min(chances(look(principle, results, design, at), len(design.looks))) * members < design.alpha for at in passed
    )


def verdicts(principles: Sequence[Principle], results: Mapping[str, Results], design: Design) -> list[Verdict]:
    """A verdict for each principle, corrected over the family; controls stand alone."""
    family = [principle for principle in principles if not principle.control]
    controls = [principle for principle in principles if principle.control]
    judged = _judged(family, results, design) + [each for one in controls for each in _judged([one], results, design)]
    by_key = {verdict.principle.key: verdict for verdict in judged}
    return [by_key[principle.key] for principle in principles]


def _judged(principles: Sequence[Principle], results: Mapping[str, Results], design: Design) -> list[Verdict]:
    members = len(principles)
    found = [settled(principle, results[principle.key], design, members) for principle in principles]
    pairs = [chances(findings, len(design.looks)) for findings in found]
    holds, fails = holm([p for p, _ in pairs]), holm([q for _, q in pairs])
    return [
        Verdict(principle, _word(p, q, design.alpha), findings, p, q, level(design, members))
        for principle, findings, p, q in zip(principles, found, holds, fails, strict=True)
    ]


def _word(p: float, q: float, alpha: float) -> Word:
    """An effect that is real and reliably below the margin counts as refuted: the claim is of an effect worth it."""
    return "refuted" if q < alpha else "supported" if p < alpha else "undecided"


def level(design: Design, members: int) -> float:
    """Alpha of one test at one look, as the first step of Holm's correction has it."""
    return design.alpha / len(design.looks) / members


def planned_power(principle: Principle, design: Design, members: int) -> float:
    """The power, at least, at the last look, for the effects expected and the deviation planned."""
    members = 1 if principle.control else members
    bounds = [scaled(bound, design.points) for bound in principle.bounds]
    tests = [(bound.expected - bound.null, planned_sd(bound, design)) for bound in bounds]
    return joint_power(tests, design.looks[-1], level(design, members))


def planned_sd(bound: Bound, design: Design) -> float:
    """Of the contrast over seeds: trainings under one seed share too little to count on (docs/principles.md)."""
    return deviation(bound.metric, design) * sqrt(sum(weight**2 for weight in bound.weights.values()))


def deviation(metric: Metric, design: Design) -> float:
    """Of one training, as planned."""
    return design.sd if metric == "error" else design.loss_sd
