"""The design of a study of principles, simulated: false words, coverage of intervals, and power against what is stated.

    python -m benchmarks.verdicts [principles_small] [--families 2000] [--seed 0]

A family is one study: every bound of the study's claims on its number of settings, with made-up effects, judged by the
code that judges real runs. Errors of arms are independent over settings; their standard deviations differ between
contrasts, and their distribution is normal or has the tails of Student's t with 4 degrees of freedom.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from nas.principles.claims.principle import Principle
from nas.principles.judging.power import alpha_of_one, planned_power, threshold
from nas.principles.judging.results import Result, Results
from nas.principles.judging.verdict import Finding, verdicts
from nas.principles.study_file import Design, read_study
from nas.search.experiment_file import find_experiment

Array = NDArray[np.float64]
ROUNDING = 1e-9  # of made-up effects
TAILS = 4  # degrees of freedom of the heavy-tailed errors
CASES = ((0.0, False), (0.4, False), (0.7, False), (0.4, True))
"""How much the standard deviations of claims differ (of their logarithm), and whether the tails are heavy."""


def effects_at_threshold(principle: Principle, design: Design, _: np.random.Generator) -> list[float]:
    """Return the effects at which every word but "undecided" is false."""
    return [threshold(bound, design) for bound in principle.bounds]


def no_effects(principle: Principle, _design: Design, _: np.random.Generator) -> list[float]:
    """Return effects of 0."""
    return [0.0] * len(principle.bounds)


def drawn_effects(principle: Principle, _: Design, rng: np.random.Generator) -> list[float]:
    """Return effects of both signs, of some percent."""
    return [float(each) for each in rng.normal(0, 5.0, len(principle.bounds))]


def expected_effects(principle: Principle, _design: Design, _: np.random.Generator) -> list[float]:
    """Return the effects for which power is stated."""
    return [bound.expected for bound in principle.bounds]


SHARES = ("false above", "false below", "missed", "coverage")
Effects = Callable[[Principle, Design, np.random.Generator], list[float]]
EFFECTS: dict[str, Effects] = {
    "at the threshold": effects_at_threshold, "none": no_effects, "drawn": drawn_effects, "expected": expected_effects,
}  # fmt: skip


@dataclass
class Tally:
    """What happened over families.

    up, down: families with a bound that is falsely said to be above, or below, its threshold. decided, covered: bounds
    with a word, and those of them whose interval has the true effect in it. missed: the sum over families of the share
    of decided bounds whose interval misses, 0 where none is decided: the false coverage rate of Benjamini & Yekutieli
    (2005). held: families in which a claim holds.
    """

    families: int = 0
    up: int = 0
    down: int = 0
    decided: int = 0
    covered: int = 0
    missed: float = 0.0
    held: Counter[str] = field(default_factory=Counter)

    def add(self, findings: Sequence[tuple[Finding, float]], held: Sequence[str]) -> None:
        """Count a family. findings: each with its true effect. held: keys of the claims that hold."""
        decided = [(finding, effect) for finding, effect in findings if finding.word != "undecided"]
        self.families += 1
        self.up += any(f.word == "holds" and effect <= f.threshold + ROUNDING for f, effect in decided)
        self.down += any(f.word != "holds" and effect >= _limit(f) - ROUNDING for f, effect in decided)
        self.decided += len(decided)
        covered = sum(f.estimate.low <= effect <= f.estimate.high for f, effect in decided)
        self.covered += covered
        self.missed += (len(decided) - covered) / max(1, len(decided))
        self.held.update(held)


def _limit(finding: Finding) -> float:
    """Return the effect from which on the word below the threshold is false."""
    return min(finding.threshold, 0.0) if finding.word == "opposite" else finding.threshold


def arm_effects(principle: Principle, wanted: Sequence[float]) -> dict[str, float]:
    """Return the smallest effects of the arms that give the contrasts these values, as far as arms allow."""
    table = np.array([[bound.weights.get(arm, 0.0) for arm in principle.arms] for bound in principle.bounds])
    solved = np.linalg.pinv(table) @ np.array(wanted)
    return dict(zip(principle.arms, solved.tolist(), strict=True))


def judged_on_errors(principles: Sequence[Principle]) -> list[Principle]:
    """Return the claims without bounds on losses, whose deviations are not those of errors."""
    return [each for each in principles if each.control is None and all(b.metric == "error" for b in each.bounds)]


def simulate(
    principles: Sequence[Principle], design: Design, effects: Effects, spread: float, heavy: bool, families: int,
    seed: int = 0,
) -> Tally:  # fmt: skip
    """Return what happened over simulated families of errors. Claims with bounds on losses are left out."""
    rng, tally = np.random.default_rng(seed), Tally()
    claims = judged_on_errors(principles)
    for _ in range(families):
        made, true = {}, []
        for claim in claims:
            apart = arm_effects(claim, effects(claim, design, rng))
            made[claim.key] = _results(claim, apart, design, spread, heavy, rng)
            true += [sum(w * apart[arm] for arm, w in bound.weights.items()) for bound in claim.bounds]
        judged = verdicts(claims, made, design)
        findings = [finding for verdict in judged for finding in verdict.findings]
        held = [verdict.principle.key for verdict in judged if verdict.outcome == "holds"]
        tally.add(list(zip(findings, true, strict=True)), held)
    return tally


def _results(
    claim: Principle, apart: dict[str, float], design: Design, spread: float, heavy: bool, rng: np.random.Generator
) -> Results:
    sd = design.error_sd * float(np.exp(rng.normal(0, spread)))

    def errors(arm: str) -> Array:
        shape = design.settings
        noise = rng.standard_t(TAILS, shape) / sqrt(TAILS / (TAILS - 2)) if heavy else rng.normal(size=shape)
        return np.asarray(30 * np.exp((apart[arm] + sd * noise) / 100))

    return {arm: [Result(float(error), 1.0, 1.0) for error in errors(arm)] for arm in claim.arms}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", nargs="?", default="principles_small")
    parser.add_argument("--families", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    study = read_study(find_experiment(asked.study))
    print(f"{asked.study}: {study.design.settings} settings, {asked.families} families, seed {asked.seed}")
    print(f"{'effects':<18}{'sd differ':>10}{'tails':>8}" + "".join(f"{head:>13}" for head in SHARES))
    for name, effects in EFFECTS.items():
        for spread, heavy in CASES:
            found = simulate(study.principles, study.design, effects, spread, heavy, asked.families, asked.seed)
            coverage = f"{found.covered / found.decided:.1%}" if found.decided else "-"
            tails = "heavy" if heavy else "normal"
            shares = [f"{count / found.families:.1%}" for count in (found.up, found.down, found.missed)]
            print(f"{name:<18}{spread:>10g}{tails:>8}" + "".join(f"{share:>13}" for share in (*shares, coverage)))
    found = simulate(study.principles, study.design, expected_effects, 0.0, False, asked.families, asked.seed)
    print(f"\n{'claim':<8}{'power stated':>14}{'found':>8}   with the expected effects and deviations")
    claims = [
        each for each in study.principles if each.control is None and all(b.metric == "error" for b in each.bounds)
    ]
    for claim in claims:
        stated = planned_power(claim, study.design, alpha_of_one(claims, study.design))
        print(f"{claim.key:<8}{stated:>14.1%}{found.held[claim.key] / found.families:>8.1%}")


if __name__ == "__main__":
    main()
