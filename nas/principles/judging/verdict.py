"""From results to verdicts: each bound has a word, and a claim follows from its bounds.

A bound claims that an effect exceeds a threshold. Its word is read off the interval of the effect:

    above the threshold              holds
    below the threshold              too small
    below the threshold and below 0  the opposite
    else                             undecided

No two can be true of one effect, and as all intervals hold together, so do all words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nas.principles.claims.principle import Bound, Principle
from nas.principles.judging.power import alpha_of_one, threshold
from nas.principles.judging.results import Results, contrast_values
from nas.principles.judging.statistics import Estimate, UsualVariance, estimate, settings_for, usual_variance
from nas.principles.study_file import Design

Word = Literal["holds", "too small", "opposite", "undecided"]
VerdictOutcome = Literal["holds", "in part", "too small", "opposite", "undecided"]
OUTCOMES: tuple[VerdictOutcome, ...] = ("holds", "in part", "too small", "opposite", "undecided")


@dataclass(frozen=True)
class Finding:
    """A bound, its threshold, its value in each setting (None where an arm is missing) and the estimate of the mean."""

    bound: Bound
    threshold: float
    values: tuple[float | None, ...]
    estimate: Estimate

    @property
    def complete(self) -> bool:
        """Return whether every setting has a value."""
        return None not in self.values

    @property
    def word(self) -> Word:
        """Return what the interval says. Incomplete results say nothing: which come first is not chance."""
        if not self.complete:
            return "undecided"
        if self.estimate.low > self.threshold:
            return "holds"
        if self.estimate.high < min(self.threshold, 0.0):
            return "opposite"
        return "too small" if self.estimate.high < self.threshold else "undecided"


@dataclass(frozen=True)
class Verdict:
    """The findings of a principle, one per bound; none before two settings are complete."""

    principle: Principle
    findings: tuple[Finding, ...] = ()

    @property
    def words(self) -> list[Word]:
        """Return the word of each bound."""
        return [finding.word for finding in self.findings]

    @property
    def outcome(self) -> VerdictOutcome:
        """Return what follows for the claim, which is all of its bounds together."""
        words = self.words
        if words and set(words) == {"holds"}:
            return "holds"
        if "holds" in words:
            return "in part"
        return next((word for word in ("opposite", "too small") if word in words), "undecided")

    @property
    def settings(self) -> int:
        """Return the number of settings that every bound has."""
        return min((finding.estimate.settings for finding in self.findings), default=0)

    @property
    def complete(self) -> bool:
        """Return whether all settings are trained; until then the principle is undecided."""
        return bool(self.findings) and all(finding.complete for finding in self.findings)

    @property
    def covers(self) -> bool | None:
        """Return whether the interval of a control has the known effect in it; None of a claim."""
        known = self.principle.control
        if known is None or not self.findings:
            return None
        return self.findings[0].estimate.low <= known <= self.findings[0].estimate.high

    def settings_needed(self, design: Design) -> int | None:
        """Return how many settings would narrow the intervals of undecided bounds to what is worth it.

        From the observed deviations, not the effects. None where no bound is undecided.
        """
        open_ones = [finding for finding in self.findings if finding.word == "undecided"]
        if not open_ones:
            return None
        return max(settings_for(each.estimate.width, abs(threshold(each.bound, design))) for each in open_ones)


def verdicts(principles: Sequence[Principle], results: Mapping[str, Results], design: Design) -> list[Verdict]:
    """Return a verdict per principle; the intervals of all bounds that are not of controls hold together."""
    alpha = alpha_of_one(principles, design)
    values = {each.key: [contrast_values(bound, results[each.key]) for bound in each.bounds] for each in principles}
    usual = _usual_variances(principles, values)
    return [Verdict(each, _findings(each, values[each.key], usual, design, alpha)) for each in principles]


Contrasts = Mapping[str, list[list[float | None]]]  # by principle, then per bound, then per setting
Usual = Mapping[bool, UsualVariance]  # by whether the metric is the error


def _usual_variances(principles: Sequence[Principle], values: Contrasts) -> Usual:
    """Return what is usual among the contrasts of the claims, per variance of one arm, by kind of metric."""
    rows: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
    for principle in principles:
        for bound, row in zip(principle.bounds, values[principle.key], strict=True):
            known = _known(row)
            if principle.control is None and len(known) > 1:
                variance = float(np.var(known, ddof=1)) / bound.weight_sum
                rows[bound.metric == "error"].append((variance, len(known) - 1))
    return {kind: usual_variance([v for v, _ in each], [f for _, f in each]) for kind, each in rows.items()}


def _known(row: Sequence[float | None]) -> list[float]:
    return [value for value in row if value is not None]


def _findings(
    principle: Principle, values: list[list[float | None]], usual: Usual, design: Design, alpha: float
) -> tuple[Finding, ...]:
    if any(len(_known(row)) < 2 for row in values):
        return ()
    return tuple(
        Finding(
            bound,
            threshold(bound, design),
            tuple(row),
            estimate(_known(row), usual[bound.metric == "error"], bound.weight_sum, alpha),
        )
        for bound, row in zip(principle.bounds, values, strict=True)
    )
