"""A verdict in sentences."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean

from nas.principles.claims.principle import UNITS, Bound, Metric
from nas.principles.judging.results import Results
from nas.principles.judging.statistics import MAX_SETTINGS, Estimate
from nas.principles.judging.verdict import OUTCOMES, Finding, Verdict, VerdictOutcome
from nas.principles.study_file import Design
from nas.report.text import listed

METRICS: dict[Metric, str] = {
    "error": "validation error", "train_loss": "training loss", "early_loss": "early training loss",
}  # fmt: skip
PREDICATES: dict[VerdictOutcome, tuple[str, str]] = {
    "holds": ("holds", "hold"),
    "in part": ("holds in part", "hold in part"),
    "too small": ("is smaller than worth it", "are smaller than worth it"),
    "opposite": ("is the opposite", "are the opposite"),
    "undecided": ("is undecided", "are undecided"),
}  # fmt: skip
"""What is said of one claim and of several, by outcome."""
MAX_DEPTH_RATIO = 1.25  # of the two sides of a contrast, above which depth may explain it


def headline(verdicts: Sequence[Verdict]) -> str:
    """Return how many claims have each outcome, in one sentence; controls are not counted."""
    claims = [verdict for verdict in verdicts if verdict.principle.control is None]
    number = Counter(verdict.outcome for verdict in claims)
    parts = [f"{number[outcome]} {PREDICATES[outcome][number[outcome] != 1]}" for outcome in OUTCOMES]
    return f"Of {len(claims)} design principle{'s' * (len(claims) != 1)} {listed(parts)}"


def amount(value: float, bound: Bound) -> str:
    """Return a value with its sign and unit: `+1.24 %`."""
    return f"{signed(value, bound)} {UNITS[bound.metric]}"


def signed(value: float, bound: Bound) -> str:
    """Return a value with its sign, to the digits of its metric."""
    return f"{value:+.{2 if bound.metric == 'error' else 3}f}"


def span(estimate: Estimate, bound: Bound) -> str:
    """Return mean and interval: `+1.24 [+0.60, +1.88] %`."""
    middle, low, high = (signed(value, bound) for value in (estimate.mean, estimate.low, estimate.high))
    return f"{middle} [{low}, {high}] {UNITS[bound.metric]}"


def complete_settings(results: Results) -> int:
    """Return the number of settings in which every arm has a result."""
    return sum(all(row) for row in zip(*results.values(), strict=True))


def sentence(verdict: Verdict, results: Results, design: Design) -> str:
    """Return the verdict in one sentence, by the bound that decides it."""
    if not verdict.complete:
        done = complete_settings(results)
        so_far = f"; so far {_observed(verdict.findings[0])}" if verdict.findings else ""
        return f"Undecided until {design.settings} settings are complete: {done}{so_far}."
    if verdict.principle.control is not None:
        return _control_sentence(verdict)
    if verdict.outcome == "in part":
        return f"Holds in part. {'; '.join(map(_word_of, verdict.findings))}."
    one, count = deciding_finding(verdict), len(verdict.findings)
    observed, limit = _observed(one), amount(one.threshold, one.bound)
    return {
        "holds": f"Holds{f' in all {count} comparisons; the closest' if count > 1 else ''}: {observed}, above {limit}.",
        "too small": f"Smaller than worth it: {observed}, below {limit}.",
        "opposite": f"The opposite: {observed}, below {limit if one.threshold < 0 else '0'}.",
        "undecided": f"Undecided: {observed}; {limit} is inside the interval.",
    }[verdict.outcome]


def _word_of(finding: Finding) -> str:
    name, metric = finding.bound.name, METRICS[finding.bound.metric]
    return f"{name} ({metric}): {finding.word}, {span(finding.estimate, finding.bound)}"


def _control_sentence(verdict: Verdict) -> str:
    known, one = verdict.principle.control or 0.0, verdict.findings[0]
    covers = "covers" if verdict.covers else "does not cover"
    return f"A control, not counted: {_observed(one)}, which {covers} the known effect, {amount(known, one.bound)}."


def _observed(finding: Finding) -> str:
    metric = METRICS[finding.bound.metric]
    return (f"{finding.bound.name} ({metric}) is {span(finding.estimate, finding.bound)} in the mean over "
            f"{finding.estimate.settings} settings")  # fmt: skip


def deciding_finding(verdict: Verdict) -> Finding:
    """Return the bound with the claim's word, or the one nearest to its threshold among several."""
    decisive = [each for each in verdict.findings if each.word == verdict.outcome] or list(verdict.findings)
    return min(decisive, key=lambda each: (each.estimate.low - each.threshold) / abs(each.threshold))


def what_would_change(verdict: Verdict, design: Design) -> str:
    """Return what would change the verdict; "" for a control."""
    if verdict.principle.control is not None:
        return ""
    if not verdict.complete:
        return "What would change it: the settings that are missing."
    one = deciding_finding(verdict)
    limit = amount(one.threshold, one.bound)
    if needed := verdict.settings_needed(design):
        more = f"{needed:,} settings" if needed < MAX_SETTINGS else f"more than {MAX_SETTINGS:,} settings"
        text = f"{more} would narrow the widest interval to {limit.lstrip('+-')} on each side, if they vary as these do"
    elif verdict.outcome == "holds":
        text = f"a schedule, data or networks with which the mean effect is {limit} or less"
    elif verdict.outcome == "in part":
        text = "a schedule, data or networks with which all of its comparisons hold, or none"
    else:
        text = f"a schedule, data or networks with which the mean effect exceeds {limit}"
    return f"What would change it: {text}."


def depth_caution(bounds: Sequence[Bound], depths: Mapping[str, float], results: Results) -> str:
    """Return a warning where the sides of a contrast differ in depth by more than a quarter; else "".

    depths: of each arm, the mean over settings. In an interaction the sides are equally deep.
    """
    confounded = [bound for bound in bounds if _depth_ratio(bound, depths) > MAX_DEPTH_RATIO]
    if not confounded:
        return ""
    arms = dict.fromkeys(arm for bound in confounded for arm in bound.weights)
    facts = "; ".join(f"{arm} {depths[arm]:.0f} layers{_loss_text(results, arm)}" for arm in arms)
    return ("Confounded with depth: at this schedule a deeper network may not have converged. Mean depth and final "
            f"training loss: {facts}.")  # fmt: skip


def _loss_text(results: Results, arm: str) -> str:
    losses = [result.train_loss for result in results[arm] if result]
    return f", {mean(losses):.3f} nats" if losses else ""


def _depth_ratio(bound: Bound, depths: Mapping[str, float]) -> float:
    sides = [_side_depth(bound, depths, sign) for sign in (1, -1)]
    return max(sides) / min(sides) if min(sides) else 1.0


def _side_depth(bound: Bound, depths: Mapping[str, float], sign: int) -> float:
    """Return the weighted mean depth of the arms with weights of a sign; 0 without such arms."""
    weights = {arm: abs(weight) for arm, weight in bound.weights.items() if weight * sign > 0}
    return sum(weight * depths[arm] for arm, weight in weights.items()) / (sum(weights.values()) or 1.0)
