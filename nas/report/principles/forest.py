"""All principles in one forest plot: effect, interval and the paper's own effect on a common axis."""

from nas.principles.judging.study_results import StudyResults
from nas.principles.judging.verdict import Finding, Verdict
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import section
from nas.report.principles.plots import AxisScale, Mark, axis_scale, axis_ticks, interval_row
from nas.report.principles.sentences import span

ORDER = {"supported": 0, "refuted": 1, "undecided": 2}


def forest_section(results: StudyResults) -> Markup:
    """Return every principle's comparisons of errors, sorted by outcome and effect, controls last."""
    known = [verdict for verdict in results.verdicts if verdict.findings]
    axis = axis_scale(value for verdict in known for value in _ends(verdict))
    ranked = sorted(known, key=lambda v: (v.principle.control, ORDER[v.outcome], -v.findings[0].estimate.mean))
    head = tag("li", tag("span", "claim", class_="claim"), axis_ticks(axis),
               tag("span", "effect and interval, points", class_="numbers"), class_="head")  # fmt: skip
    rows = [tag("li", _row(verdict, axis)) for verdict in ranked]
    design = results.study.design
    analyses = len(design.interim_seeds)
    caption = (
        "Values right of the dashed line support the claim; where a claim has several bars, all have to. Bars: "
        f"{1 - design.alpha / analyses:.1%} intervals over seeds ({1 - design.alpha:.0%} for all {analyses} analyses "
        "together). Diamonds: the effect in the paper, on its data. Verdicts are corrected for the number of claims."
    )
    plot = tag("ol", head, rows, class_="forest")
    return section("forest", "All principles", plot, tag("p", caption, class_="note"))


def distinct_findings(verdict: Verdict) -> list[Finding]:
    """Return the comparisons of errors, and only the first of two that mirror each other."""
    distinct: list[Finding] = []
    for each in verdict.findings:
        mirrored = {arm: -weight for arm, weight in each.bound.weights.items()}
        if each.bound.metric == "error" and mirrored not in [other.bound.weights for other in distinct]:
            distinct.append(each)
    return distinct


def _ends(verdict: Verdict) -> list[float]:
    paper = verdict.principle.paper
    ends = [end for each in distinct_findings(verdict) for end in (each.estimate.low, each.estimate.high)]
    return ends + ([] if paper is None else [paper])


def _row(verdict: Verdict, axis: AxisScale) -> Child:
    principle, findings = verdict.principle, distinct_findings(verdict)
    title = tag("a", f"{principle.key.upper()} {principle.claim}", href=f"#{principle.key}")
    bars, numbers = [], []
    for rank, each in enumerate(findings):
        paper = principle.paper if rank == 0 else None
        mark = Mark(each.estimate.mean, each.estimate.low, each.estimate.high, each.bound.null, paper)
        effect = span(each.estimate, each.bound)
        bars.append(interval_row(mark, axis, verdict.outcome, f"{each.bound.name}: {effect}"))
        name = tag("span", f"{each.bound.name}: ", class_="note") if len(findings) > 1 else None
        numbers.append(tag("div", name, effect, f", paper {paper:+.2f}" if paper is not None else None))
    outcome = tag("span", verdict.outcome, class_=f"verdict {verdict.outcome}")
    return [tag("span", outcome, " ", title, class_="claim"), tag("div", bars), tag("div", numbers, class_="numbers")]
