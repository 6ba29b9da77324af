"""From results to verdicts: each principle is supported, refuted or undecided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nas.principles.claims.principle import Bound, Principle
from nas.principles.judging.power import analysis_seeds, bound_in_points, level_of_test
from nas.principles.judging.results import Results, contrast_values, images_error
from nas.principles.judging.statistics import Estimate, estimate, holm, seeds_for
from nas.principles.study_file import Design

VerdictOutcome = Literal["supported", "refuted", "undecided"]


@dataclass(frozen=True)
class Finding:
    """A bound's estimate. images: the standard error due to the validation images alone, or None if unknown."""

    bound: Bound
    estimate: Estimate
    images: float | None


@dataclass(frozen=True)
class InterimAnalysis:
    """A principle's findings on the first `planned` seeds, or on those of them that are complete."""

    planned: int
    findings: tuple[Finding, ...] = ()

    @property
    def seeds(self) -> int:
        """Return the number of seeds that every bound has."""
        return min((finding.estimate.seeds for finding in self.findings), default=0)

    def p_values(self, analyses: int) -> tuple[float, float]:
        """Return p that all bounds hold and p that some bound fails, Bonferroni-corrected for the analyses.

        An incomplete analysis decides nothing: its result would depend on which trainings happened to end first.
        """
        if self.seeds < self.planned:
            return 1.0, 1.0
        p = max(finding.estimate.p for finding in self.findings)
        q = len(self.findings) * min(finding.estimate.q for finding in self.findings)
        return min(1.0, analyses * p), min(1.0, analyses * q)


@dataclass(frozen=True)
class Verdict:
    """The outcome of a principle at the first analysis that decides it, or else at the last.

    p, q: of the tests that it holds and that it fails, corrected for the interim analyses and by Holm over the claims.
    alpha: of one test at one analysis.
    """

    principle: Principle
    outcome: VerdictOutcome
    analysis: InterimAnalysis
    p: float = 1.0
    q: float = 1.0
    alpha: float = 0.05

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return one finding per bound; none before two seeds are complete."""
        return self.analysis.findings

    @property
    def complete(self) -> bool:
        """Return whether all seeds of the analysis are trained; until then the principle is undecided."""
        return self.analysis.seeds == self.analysis.planned

    @property
    def needed(self) -> int | None:
        """Return the seeds that would decide an undecided claim, from the observed deviations, not the effects.

        This many detect at 80 % power an effect of the margin or, where the claim is that nothing is lost, no loss
        against the margin. None where a thousand are too few, and where there is nothing to decide.
        """
        if self.outcome != "undecided" or not self.findings:
            return None
        return seeds_for([(f.bound.resolution, f.estimate.sd) for f in self.findings], self.alpha)


def analyze(principle: Principle, results: Results, design: Design, seeds: int) -> InterimAnalysis:
    """Return the findings on the first `seeds` seeds."""
    level = 1 - design.alpha / len(design.interim_seeds)
    findings = []
    for bound in (bound_in_points(bound, design.points) for bound in principle.bounds):
        values = contrast_values(bound, results, seeds)
        if len(values) < 2:
            return InterimAnalysis(seeds)
        images = images_error(bound, results, seeds)
        findings.append(Finding(bound, estimate(values, bound.null, bound.margin, level), images))
    return InterimAnalysis(seeds, tuple(findings))


def deciding_analysis(principle: Principle, results: Results, design: Design, claims: int) -> InterimAnalysis | None:
    """Return the first analysis that decides on its own, or None.

    Its level is that of the first step of Holm's correction, so that a decision stays, whatever the other claims
    turn out to be.
    """
    claims = 1 if principle.control else claims
    for seeds in analysis_seeds(principle, design, claims):
        analysis = analyze(principle, results, design, seeds)
        if min(analysis.p_values(len(design.interim_seeds))) < design.alpha / claims:
            return analysis
    return None


def verdicts(principles: Sequence[Principle], results: Mapping[str, Results], design: Design) -> list[Verdict]:
    """Return a verdict per principle, corrected over all claims; each control is judged on its own."""
    claims = [principle for principle in principles if not principle.control]
    controls = [principle for principle in principles if principle.control]
    judged = _judge(claims, results, design) + [each for one in controls for each in _judge([one], results, design)]
    by_key = {verdict.principle.key: verdict for verdict in judged}
    return [by_key[principle.key] for principle in principles]


def _judge(principles: Sequence[Principle], results: Mapping[str, Results], design: Design) -> list[Verdict]:
    claims = len(principles)
    analyses = [
        deciding_analysis(one, results[one.key], design, claims)
        or analyze(one, results[one.key], design, analysis_seeds(one, design, claims)[-1])
        for one in principles
    ]
    pairs = [analysis.p_values(len(design.interim_seeds)) for analysis in analyses]
    holds, fails = holm([p for p, _ in pairs]), holm([q for _, q in pairs])
    return [
        Verdict(principle, _outcome(p, q, design.alpha), analysis, p, q, level_of_test(design, claims))
        for principle, analysis, p, q in zip(principles, analyses, holds, fails, strict=True)
    ]


def _outcome(p: float, q: float, alpha: float) -> VerdictOutcome:
    """Return the outcome. An effect that is real but reliably below the margin refutes the claim."""
    return "refuted" if q < alpha else "supported" if p < alpha else "undecided"
