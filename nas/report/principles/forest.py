"""All principles in one forest plot: each bound with its interval and its values on one axis."""

from collections.abc import Sequence
from dataclasses import replace

from nas.principles.judging.power import alpha_of_one, count_bounds
from nas.principles.judging.study_results import StudyResults
from nas.principles.judging.verdict import OUTCOMES, Finding, Verdict
from nas.principles.study_file import Design
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import section
from nas.report.principles.badges import badge, bound_word, style_of, verdict_badge
from nas.report.principles.plots import LINEAR, AxisScale, Mark, axis_scale, axis_ticks, interval_row, legend
from nas.report.principles.sentences import complete_settings, span
from nas.report.principles.settings import known_values

LEGEND = (
    (Mark(1.0, 0.3, -0.6, 1.4), "mean and its interval"),
    (Mark(1.0, values=(-0.9, -0.2, 0.3, 0.5, 0.8, 1.6)), "single settings"),
    (Mark(1.0), "zero; dashed: threshold"),
    (Mark(1.0, known=0.4), "known effect of a control"),
)


def forest_section(results: StudyResults) -> Markup:
    """Return the bounds of every principle, sorted by outcome and effect, controls last."""
    design = results.study.design
    marks = {each.principle.key: [_mark(each, rank, design) for rank in range(len(each.findings))]
             for each in results.verdicts}  # fmt: skip
    axis = axis_scale(end for row in marks.values() for mark in row for end in mark.ends)
    head = tag("li", tag("span", "claim", class_="claim"),
               tag("div", axis_ticks(axis), tag("span", "mean and interval", class_="numbers"), class_="bound"),
               class_="head")  # fmt: skip
    rows = [tag("li", _row(results, verdict, marks[verdict.principle.key], axis))
            for verdict in ranked(results.verdicts)]  # fmt: skip
    plot = tag("ol", head, rows, class_="forest")
    return section("forest", "All principles", legend(LEGEND), plot, tag("p", _caption(results), class_="note"))


def _caption(results: StudyResults) -> str:
    design, principles = results.study.design, results.study.principles
    return (
        "Positive effects support a claim; one with several bars needs all of them above their dashed lines. The axis "
        f"is in percent of the error, about linear up to {LINEAR:g} and logarithmic beyond. All "
        f"{count_bounds(principles)} intervals hold together at {1 - design.alpha:.0%}: each is one of "
        f"{1 - alpha_of_one(principles, design):.2%}. Losses are drawn so that {design.worth_loss:g} nats, which are "
        f"worth it, are at {design.worth:g} %. What papers report is in points of their errors."
    )


def ranked(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return verdicts sorted by outcome and effect, controls last."""
    return sorted(verdicts, key=_place)


def _place(verdict: Verdict) -> tuple[bool, int, float]:
    first = verdict.findings[0].estimate.mean if verdict.findings else 0.0
    return verdict.principle.control is not None, OUTCOMES.index(verdict.outcome), -first


def _mark(verdict: Verdict, rank: int, design: Design) -> Mark:
    """Return what the plot shows of a bound, in percent of the error."""
    finding, principle = verdict.findings[rank], verdict.principle
    unit = 1.0 if finding.bound.metric == "error" else design.worth / design.worth_loss
    one = finding.estimate
    mark = Mark(finding.threshold * unit, one.mean * unit, one.low * unit, one.high * unit,
                tuple(value * unit for value in known_values(finding)))  # fmt: skip
    return mark if rank else replace(mark, known=principle.control)


def _row(results: StudyResults, verdict: Verdict, marks: list[Mark], axis: AxisScale) -> Child:
    principle, settings = verdict.principle, results.study.design.settings
    title = tag("a", f"{principle.key.upper()} {principle.claim}", href=f"#{principle.key}")
    done = complete_settings(results.by_principle[principle.key])
    missing = tag("span", f" {done} of {settings} settings", class_="note") if done < settings else None
    bounds = [_bound(verdict, finding, mark, axis) for finding, mark in zip(verdict.findings, marks, strict=True)]
    return [tag("div", verdict_badge(verdict), " ", title, missing, class_="claim"), tag("div", bounds)]


def _bound(verdict: Verdict, finding: Finding, mark: Mark, axis: AxisScale) -> Markup:
    effect, several = span(finding.estimate, finding.bound), len(verdict.findings) > 1
    word = bound_word(verdict, finding)
    bar = interval_row(mark, axis, style_of(word), f"{finding.bound.name}: {effect}, {word}")
    first = finding is verdict.findings[0] and verdict.principle.paper is not None
    paper = f"paper {verdict.principle.paper:+.2f} points" if first else ""
    known = "" if mark.known is None else f"known {mark.known:+.2f}" if mark.known else "known 0"
    notes = ", ".join(filter(None, [finding.bound.name if several else "", paper, known]))
    numbers = tag(
        "div", effect, tag("div", [badge(word), " "] if several else None, notes, class_="note"), class_="numbers"
    )
    return tag("div", bar, numbers, class_="bound")
