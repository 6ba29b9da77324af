"""What became of a principle, in sentences."""

from nas.principles.claims.principle import UNITS, Bound
from nas.principles.judging.statistics import Estimate
from nas.principles.judging.verdict import Finding, Verdict
from nas.report.principles.plots import rounded


def amount(value: float, bound: Bound) -> str:
    """With its sign and unit: `+1.24 points`."""
    if value == 0:
        return f"0 {UNITS[bound.metric]}"
    return f"{value:+.{2 if bound.metric == 'error' else 3}f} {UNITS[bound.metric]}"


def span(estimate: Estimate, bound: Bound) -> str:
    """Mean and interval: `+1.24 [0.60, 1.88] points`."""
    digits = 2 if bound.metric == "error" else 3
    return (
        f"{estimate.mean:+.{digits}f} [{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}] {UNITS[bound.metric]}"
    )


def chance(value: float) -> str:
    """A probability after the letter p."""
    said = rounded(value)
    return said if said.startswith("<") else f"= {said}"


def sentence(verdict: Verdict) -> str:
    """The verdict in one sentence, by the bound that decided it."""
    if not verdict.findings:
        return "Undecided: there are no results yet."
    one = weakest(verdict)
    seen = f"{one.bound.name} ({_metric(one)}) is {span(one.estimate, one.bound)} over {one.estimate.seeds} seeds"
    if not verdict.complete:
        return f"Undecided while {verdict.look.asked} seeds are not complete: {seen}."
    if verdict.word == "supported":
        return f"Supported: {seen}, above {amount(one.bound.null, one.bound)} (p {chance(verdict.p)})."
    if verdict.word == "refuted":
        least = amount(one.bound.margin, one.bound)
        return f"Refuted: {seen}, below the least effect worth the claim, {least} (p {chance(verdict.q)})."
    least, worth = amount(one.bound.null, one.bound), amount(one.bound.margin, one.bound)
    either = f"neither surely above {least}" + (f" nor surely below {worth}" if worth != least else " nor below")
    return f"Undecided: {seen}, {either}, corrected for the family (p {chance(verdict.p)})."


def weakest(verdict: Verdict) -> Finding:
    """The weakest bound: that which refutes, or that which holds least surely."""
    if verdict.word == "refuted":
        return min(verdict.findings, key=lambda finding: finding.estimate.q)
    return max(verdict.findings, key=lambda finding: finding.estimate.p)


def change(verdict: Verdict) -> str:
    """What would change the verdict."""
    one = weakest(verdict) if verdict.findings else None
    if verdict.word == "supported" and one:
        said = f"a longer schedule or more images that bring the effect to {amount(one.bound.null, one.bound)} or less"
    elif verdict.word == "refuted" and one:
        said = f"a scale at which the effect reaches {amount(one.bound.margin, one.bound)}"
    elif verdict.needed:
        said = f"{verdict.needed:,} seeds would tell an effect worth the claim from none"
    else:
        said = "more than a thousand seeds, or a larger effect"
    return f"What would change it: {said}. {verdict.principle.watch}".strip()


def caution(verdict: Verdict) -> str:
    """A warning where the images, not the seeds, may have made the effect."""
    for finding in verdict.findings:
        excess = abs(finding.estimate.mean - finding.bound.null)
        if verdict.word != "undecided" and finding.images and excess < 1.96 * finding.images:
            return (f"The validation images alone leave a standard error of {finding.images:.2f} points: on other "
                    "images the effect may differ.")  # fmt: skip
    return ""


def _metric(finding: Finding) -> str:
    names = {"error": "validation error", "train_loss": "training loss", "early_loss": "early training loss"}
    return names[finding.bound.metric]
