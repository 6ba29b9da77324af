"""One principle on the page: its arms and their costs, error curves, the verdict and what would change it."""

from collections.abc import Sequence
from statistics import mean, stdev

from nas.genome.cost import cost
from nas.principles.claims.principle import Principle
from nas.principles.judging.results import Results
from nas.principles.judging.study_results import StudyResults
from nas.principles.judging.verdict import Finding, Verdict
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.table import table
from nas.report.network import draw
from nas.report.principles.plots import Series, line_chart
from nas.report.principles.sentences import amount, caution, sentence, span, what_would_change
from nas.report.text import short

MAX_DRAWN = 2  # arms drawn next to each other


def article(results: StudyResults, verdict: Verdict) -> Markup:
    """Return everything about one principle, folded; a link to it opens it."""
    principle = verdict.principle
    paper = f" In the paper: {principle.paper:+.2f} points ({principle.paper_note})." if principle.paper_note else ""
    text = [tag("p", principle.citation, f". {principle.kind.capitalize()}.", paper, class_="note"),
            tag("p", tag("strong", sentence(verdict))), tag("p", what_would_change(verdict))]  # fmt: skip
    left = tag("div", tag("div", arms_table(results, principle), class_="scroller"),
               tag("div", findings_table(verdict.findings), class_="scroller") if verdict.findings else None
               )  # fmt: skip
    facts = tag("div", left, error_curves(principle, results.by_principle[principle.key]), class_="facts")
    warning = tag("p", caution(verdict), class_="note") if caution(verdict) else None
    heading = tag("h3", tag("span", verdict.outcome, class_=f"verdict {verdict.outcome}"),
                  f" {principle.key.upper()} {principle.claim}")  # fmt: skip
    inside = tag("div", text, warning, facts, arm_drawings(results, principle), id=principle.key)
    return tag("article", tag("details", tag("summary", heading), inside))


def arms_table(results: StudyResults, principle: Principle) -> Markup:
    """Return the cost of each arm and its error."""
    rows = []
    for name, graph in results.plan.graphs[principle.key].items():
        counts = cost(graph)
        errors = [result.error for result in results.by_principle[principle.key][name] if result]
        rows.append([tag("th", name, scope="row"), f"{counts.params:,}", short(counts.macs), str(counts.depth),
                     _spread(errors), str(len(errors))])  # fmt: skip
    matched = "; ".join(f"{match} ({', '.join(match.arms)})" for match in principle.matches)
    caption = (f"Arms; validation error with its standard deviation over seeds. Matched: "
               f"{matched or principle.unmatched}.")  # fmt: skip
    return table(caption, ["arm", "parameters", "MACs", "depth", "error, %", "seeds"], rows)


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{mean(values):.2f} ± {stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


def findings_table(findings: Sequence[Finding]) -> Markup:
    """Return the comparisons that the claim is based on."""
    rows = [
        [tag("td", each.bound.name, class_="wrap"), f"above {amount(each.bound.null, each.bound)}",
         span(each.estimate, each.bound), f"{each.estimate.standardized:+.2f}",
         f"± {each.images:.2f}" if each.images is not None else "-"]
        for each in findings
    ]  # fmt: skip
    caption = ("Comparisons, all of which must hold. Standardized: in standard deviations over seeds. Images: the "
               "standard error due to the validation images, apart from the interval over seeds.")  # fmt: skip
    return table(caption, ["comparison", "claimed", "observed", "standardized", "images"], rows)


def error_curves(principle: Principle, results: Results) -> Child:
    """Return a chart of the mean validation error after each epoch; None without results."""
    series = []
    for name, row in results.items():
        scores = [result.scores for result in row if result and result.scores]
        if scores:
            epochs = zip(*scores, strict=True)
            series.append(Series(name, [(each[0].epoch, 100 * mean(s.error for s in each)) for each in epochs]))
    label = f"{principle.key}: error over epochs"
    return line_chart(series, label, "epoch", "validation error, %") if series else None


def arm_drawings(results: StudyResults, principle: Principle) -> Markup:
    """Return the first arms drawn next to each other."""
    graphs = list(results.plan.graphs[principle.key].items())[: 1 if principle.control else MAX_DRAWN]
    cards = [tag("div", tag("h4", name), tag("div", Markup(draw(graph, standalone=False)), class_="drawing"))
             for name, graph in graphs]  # fmt: skip
    return tag("details", tag("summary", "The networks, drawn"), tag("div", cards, class_="pair"))
