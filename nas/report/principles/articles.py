"""A principle on the page: its arms side by side, their costs, their curves, the verdict and what would change it."""

from collections.abc import Sequence
from statistics import mean, stdev

from nas.genome.cost import cost
from nas.principles.claims.principle import Principle
from nas.principles.judging.results import Results
from nas.principles.judging.verdict import Finding, Verdict
from nas.principles.training.reading import Reading
from nas.report.html.markup import Child, Markup, tag
from nas.report.network import draw
from nas.report.principles.plots import Series, lines
from nas.report.principles.sentences import amount, caution, change, sentence, span
from nas.report.run.tables import table
from nas.report.text import short

DRAWN = 2  # arms side by side


def article(reading: Reading, verdict: Verdict) -> Markup:
    """Everything about one principle."""
    principle = verdict.principle
    results = reading.by_principle[principle.key]
    paper = f" In the paper: {principle.paper:+.2f} points ({principle.paper_note})." if principle.paper_note else ""
    said = [tag("p", principle.citation, f". {principle.kind.capitalize()}.", paper, class_="note"),
            tag("p", tag("strong", sentence(verdict))), tag("p", change(verdict))]  # fmt: skip
    left = tag("div", tag("div", arms(reading, principle), class_="scroller"),
               tag("div", findings(verdict.findings), class_="scroller") if verdict.findings else None)  # fmt: skip
    both = tag("div", left, curves(principle, results), class_="facts")
    warning = tag("p", caution(verdict), class_="note") if caution(verdict) else None
    heading = tag("h3", tag("span", verdict.word, class_=f"verdict {verdict.word}"),
                  f" {principle.key.upper()} {principle.claim}")  # fmt: skip
    return tag("article", heading, said, warning, both, drawings(reading, principle), id=principle.key)


def arms(reading: Reading, principle: Principle) -> Markup:
    """What each arm costs and how it did."""
    rows = []
    for name, graph in reading.plan.graphs[principle.key].items():
        counts = cost(graph)
        done = [result for result in reading.by_principle[principle.key][name] if result]
        rows.append([tag("th", name, scope="row"), f"{counts.params:,}", short(counts.macs), str(counts.depth),
                     _spread([result.error for result in done]), str(len(done))])  # fmt: skip
    matched = "; ".join(f"{match} ({', '.join(match.arms)})"
                        for match in principle.matches)  # fmt: skip
    caption = f"Arms, validation error with the deviation over seeds. Matched: {matched or principle.unmatched}."
    return table(caption, ["arm", "parameters", "MACs", "depth", "error, %", "seeds"], rows)


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{mean(values):.2f} ± {stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


def findings(found: Sequence[Finding]) -> Markup:
    """The comparisons that the claim rests on."""
    rows = [
        [tag("td", each.bound.name, class_="wrap"), f"above {amount(each.bound.null, each.bound)}",
         span(each.estimate, each.bound), f"{each.estimate.standardised:+.2f}",
         f"± {each.images:.2f}" if each.images is not None else "-"]
        for each in found
    ]  # fmt: skip
    caption = ("Comparisons, all of which must hold. Standardised: in deviations over seeds. Images: the standard "
               "error that the validation images leave, beside the interval over seeds.")  # fmt: skip
    return table(caption, ["comparison", "claimed", "seen", "standardised", "images"], rows)


def curves(principle: Principle, results: Results) -> Child:
    """Mean validation error after each epoch."""
    drawn = []
    for name, found in results.items():
        scores = [result.scores for result in found if result and result.scores]
        if scores:
            epochs = zip(*scores, strict=True)
            drawn.append(Series(name, [(each[0].epoch, 100 * mean(s.error for s in each)) for each in epochs]))
    return lines(drawn, f"{principle.key}: error over epochs", "epoch", "validation error, %") if drawn else None


def drawings(reading: Reading, principle: Principle) -> Markup:
    """The first arms side by side."""
    graphs = list(reading.plan.graphs[principle.key].items())
    shown = graphs[:1] if principle.control else graphs[:DRAWN]
    cards = [tag("div", tag("h4", name), tag("div", Markup(draw(graph, standalone=False)), class_="drawing"))
             for name, graph in shown]  # fmt: skip
    return tag("details", tag("summary", "The networks, drawn"), tag("div", cards, class_="pair"), open=True)
