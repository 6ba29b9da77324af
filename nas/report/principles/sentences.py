"""A verdict in sentences."""

from nas.principles.claims.principle import UNITS, Bound, Metric
from nas.principles.judging.statistics import Estimate
from nas.principles.judging.verdict import Finding, Verdict
from nas.report.principles.plots import format_probability

METRICS: dict[Metric, str] = {
    "error": "validation error", "train_loss": "training loss", "early_loss": "early training loss",
}  # fmt: skip


def amount(value: float, bound: Bound) -> str:
    """Return a value with its sign and unit: `+1.24 points`."""
    return f"{_signed(value, bound) if value else '0'} {UNITS[bound.metric]}"


def _signed(value: float, bound: Bound) -> str:
    return f"{value:+.{2 if bound.metric == 'error' else 3}f}"


def span(estimate: Estimate, bound: Bound) -> str:
    """Return mean and interval: `+1.24 [0.60, 1.88] points`."""
    mean, low, high = (_signed(value, bound) for value in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} [{low}, {high}] {UNITS[bound.metric]}"


def p_phrase(value: float) -> str:
    """Return a probability as it follows the letter p: `= 0.03` or `< 0.0001`."""
    text = format_probability(value)
    return text if text.startswith("<") else f"= {text}"


def sentence(verdict: Verdict) -> str:
    """Return the verdict in one sentence, by the bound that decided it."""
    if not verdict.findings:
        return "Undecided: there are no results yet."
    one = weakest_finding(verdict)
    null, margin = amount(one.bound.null, one.bound), amount(one.bound.margin, one.bound)
    observed = (f"{one.bound.name} ({METRICS[one.bound.metric]}) is {span(one.estimate, one.bound)} over "
            f"{one.estimate.seeds} seeds")  # fmt: skip
    if not verdict.complete:
        return f"Undecided until {verdict.analysis.planned} seeds are complete: {observed}."
    if verdict.outcome == "supported":
        return f"Supported: {observed}, above {null} (p {p_phrase(verdict.p)})."
    if verdict.outcome == "refuted":
        return f"Refuted: {observed}, below the smallest effect of interest, {margin} (p {p_phrase(verdict.q)})."
    below = "below" if margin == null else f"below {margin}"
    return (f"Undecided: {observed}, neither significantly above {null} nor significantly {below}, corrected for all "
            f"claims (p {p_phrase(verdict.p)}).")  # fmt: skip


def weakest_finding(verdict: Verdict) -> Finding:
    """Return the bound that refutes the claim or, otherwise, the one with the largest p."""
    if verdict.outcome == "refuted":
        return min(verdict.findings, key=lambda finding: finding.estimate.q)
    return max(verdict.findings, key=lambda finding: finding.estimate.p)


def what_would_change(verdict: Verdict) -> str:
    """Return what would change the verdict, and the principle's caveat."""
    one = weakest_finding(verdict) if verdict.findings else None
    if verdict.outcome == "supported" and one:
        text = f"a longer schedule or more images that bring the effect to {amount(one.bound.null, one.bound)} or less"
    elif verdict.outcome == "refuted" and one:
        text = f"a scale at which the effect reaches {amount(one.bound.margin, one.bound)}"
    elif verdict.needed:
        text = f"{verdict.needed:,} seeds would detect an effect worth the claim"
    else:
        text = "more than a thousand seeds, or a larger effect"
    return f"What would change it: {text}. {verdict.principle.caveat}".strip()


def caution(verdict: Verdict) -> str:
    """Return a warning where the validation images, not the networks, may explain the effect; else nothing."""
    for finding in verdict.findings:
        excess = abs(finding.estimate.mean - finding.bound.null)
        if verdict.outcome != "undecided" and finding.images and excess < 1.96 * finding.images:
            return (f"The validation images alone cause a standard error of {finding.images:.2f} points: on other "
                    "images the effect may differ.")  # fmt: skip
    return ""
