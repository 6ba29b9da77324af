"""From results to verdicts: supported, refuted, or undecided, for each principle and with its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nas.principles.claims.principle import Bound, Principle
from nas.principles.judging.power import level, looks, scaled
from nas.principles.judging.results import Results, images_error, values
from nas.principles.judging.statistics import Estimate, estimate, holm, seeds_for
from nas.principles.study_file import Design

Word = Literal["supported", "refuted", "undecided"]


@dataclass(frozen=True)
class Finding:
    """A bound's estimate. images: the standard error that the validation images alone leave, or None."""

    bound: Bound
    estimate: Estimate
    images: float | None


@dataclass(frozen=True)
class Look:
    """A principle's findings at a look: on the first `asked` seeds, or on those of them that there are."""

    asked: int
    findings: tuple[Finding, ...] = ()

    @property
    def seeds(self) -> int:
        """Seeds that every bound has."""
        return min((finding.estimate.seeds for finding in self.findings), default=0)

    def chances(self, count: int) -> tuple[float, float]:
        """P that all bounds hold and that some bound fails, corrected for the number of looks (Bonferroni).

        A look that is not complete says nothing: what it would say depends on which trainings happened to end first.
        """
        if self.seeds < self.asked:
            return 1.0, 1.0
        p = max(finding.estimate.p for finding in self.findings)
        q = len(self.findings) * min(finding.estimate.q for finding in self.findings)
        return min(1.0, count * p), min(1.0, count * q)


@dataclass(frozen=True)
class Verdict:
    """What became of a principle at its look, the first that decided or else the last.

    p, q: of the tests that it holds and that it fails, after the looks and Holm's correction over the family. alpha: of
    one test at one look.
    """

    principle: Principle
    word: Word
    look: Look
    p: float = 1.0
    q: float = 1.0
    alpha: float = 0.05

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One a bound; none before two seeds are complete."""
        return self.look.findings

    @property
    def complete(self) -> bool:
        """Whether all seeds of its look are trained; before, it is undecided."""
        return self.look.seeds == self.look.asked

    @property
    def needed(self) -> int | None:
        """Seeds that would decide an undecided claim, by the deviations seen and not by the effects seen.

        So many tell an effect just worth the claim from none at 80 % power, or where the claim is that nothing is lost,
        no loss from the margin. None where a thousand are too few, and where there is nothing to decide.
        """
        if self.word != "undecided" or not self.findings:
            return None
        return seeds_for([(f.bound.resolution, f.estimate.sd) for f in self.findings], self.alpha)


def look(principle: Principle, results: Results, design: Design, seeds: int) -> Look:
    """The findings on the first `seeds` seeds."""
    share = 1 - design.alpha / len(design.looks)
    found = []
    for bound in (scaled(bound, design.points) for bound in principle.bounds):
        seen = values(bound, results, seeds)
        if len(seen) < 2:
            return Look(seeds)
        images = images_error(bound, results, seeds)
        found.append(Finding(bound, estimate(seen, bound.null, bound.margin, share), images))
    return Look(seeds, tuple(found))


def deciding(principle: Principle, results: Results, design: Design, members: int) -> Look | None:
    """The first look that decides alone, if one does.

    It decides at the level that every member of the family could claim, so that what is settled stays settled whatever
    becomes of the others.
    """
    members = 1 if principle.control else members
    for seeds in looks(principle, design, members):
        seen = look(principle, results, design, seeds)
        if min(seen.chances(len(design.looks))) < design.alpha / members:
            return seen
    return None


def verdicts(principles: Sequence[Principle], results: Mapping[str, Results], design: Design) -> list[Verdict]:
    """A verdict for each principle, corrected over the family; controls stand alone."""
    family = [principle for principle in principles if not principle.control]
    controls = [principle for principle in principles if principle.control]
    judged = _judged(family, results, design) + [each for one in controls for each in _judged([one], results, design)]
    by_key = {verdict.principle.key: verdict for verdict in judged}
    return [by_key[principle.key] for principle in principles]


def _judged(principles: Sequence[Principle], results: Mapping[str, Results], design: Design) -> list[Verdict]:
    members = len(principles)
    seen = [
        deciding(one, results[one.key], design, members)
        or look(one, results[one.key], design, looks(one, design, members)[-1])
        for one in principles
    ]
    pairs = [each.chances(len(design.looks)) for each in seen]
    holds, fails = holm([p for p, _ in pairs]), holm([q for _, q in pairs])
    return [
        Verdict(principle, _word(p, q, design.alpha), each, p, q, level(design, members))
        for principle, each, p, q in zip(principles, seen, holds, fails, strict=True)
    ]


def _word(p: float, q: float, alpha: float) -> Word:
    """An effect that is real and reliably below the margin counts as refuted: the claim is of an effect worth it."""
    return "refuted" if q < alpha else "supported" if p < alpha else "undecided"
