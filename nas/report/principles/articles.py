"""One principle on the page: its verdict, its arms and their costs, its value in each setting, and its networks."""

from collections.abc import Iterable
from statistics import mean, stdev

from nas.genome.cost import Cost, cost
from nas.principles.claims.principle import Principle
from nas.principles.judging.study_results import StudyResults
from nas.principles.judging.verdict import Verdict
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.table import table
from nas.report.network import draw
from nas.report.principles.badges import verdict_badge
from nas.report.principles.plots import Series, line_chart
from nas.report.principles.scale import arm_text, drawn_settings, pixels_text, schedule_text
from nas.report.principles.sentences import depth_caution, sentence, what_would_change
from nas.report.principles.settings import findings_table, settings_table
from nas.report.text import listed, short

MAX_DRAWN = 2  # arms drawn next to each other


def article(results: StudyResults, verdict: Verdict) -> Markup:
    """Return everything about one principle, folded; a link to it opens it."""
    principle = verdict.principle
    heading = tag("h3", verdict_badge(verdict), f" {principle.key.upper()} {principle.claim}")
    facts = tag("div", _scroller(arms_table(results, principle)), error_curves(results, principle), class_="facts")
    tables = [findings_table(results, verdict), settings_table(results, verdict)] if verdict.findings else []
    inside = tag("div", _text(results, verdict), facts, map(_scroller, tables), arm_drawings(results, principle),
                 id=principle.key)  # fmt: skip
    return tag("article", tag("details", tag("summary", heading), inside))


def _scroller(content: Markup) -> Markup:
    return tag("div", content, class_="scroller")


def _text(results: StudyResults, verdict: Verdict) -> Child:
    principle, design = verdict.principle, results.study.design
    by_arm = results.by_principle[principle.key]
    paper = f" In the paper: {principle.paper:+.2f} points ({principle.paper_note})." if principle.paper_note else ""
    source = f"{principle.citation}. {principle.kind.capitalize()}.{paper}"
    caution = depth_caution(principle.bounds, mean_depths(results, principle), by_arm)
    change, caveat = what_would_change(verdict, design), f"Caveat: {principle.caveat}" if principle.caveat else ""
    return [
        tag("p", tag("strong", sentence(verdict, by_arm, design))),
        tag("p", source, class_="note") if principle.control is None else None,
        tag("p", caution, class_="caution") if caution else None,
        tag("p", cost_text(results, principle), class_="note"),
        [tag("p", text, class_="note") for text in (caveat, change) if text],
    ]


def cost_text(results: StudyResults, principle: Principle) -> str:
    """Return how long each network was trained, on what, and what the arms cost."""
    macs = [each.macs for name in principle.arms for each in arm_costs(results, principle, name)]
    pixels = pixels_text(drawn_settings(results, principle.key))
    return (f"Each network: {schedule_text(results.study.experiment)}, {pixels}, "
            f"{_extent(map(float, macs))} MACs per image.")  # fmt: skip


def arm_costs(results: StudyResults, principle: Principle, name: str) -> list[Cost]:
    """Return the cost of an arm in each setting."""
    return [cost(each.graphs[name]) for each in results.plan.arms[principle.key]]


def mean_depths(results: StudyResults, principle: Principle) -> dict[str, float]:
    """Return the mean depth of each arm over settings."""
    return {name: mean(each.depth for each in arm_costs(results, principle, name)) for name in principle.arms}


def arms_table(results: StudyResults, principle: Principle) -> Markup:
    """Return the cost of each arm, its error and its final training loss, over settings."""
    rows = [_arm_row(results, principle, name) for name in principle.arms]
    matched = listed([f"{match} ({', '.join(match.arms)})" for match in principle.matches])
    caption = ("Arms: counts from the smallest to the largest setting; mean and standard deviation over settings of "
               "the validation error and of the training loss in the last epoch, which includes label smoothing and "
               f"augmentation. Matched in each setting: {matched or f'no. {principle.unmatched}'.rstrip('.')}."
               )  # fmt: skip
    return table(caption, ["arm", "parameters", "MACs", "depth", "error, %", "training loss", "settings"], rows)


def _arm_row(results: StudyResults, principle: Principle, name: str) -> list[Child]:
    costs = arm_costs(results, principle, name)
    known = [result for result in results.by_principle[principle.key][name] if result]
    differs = arm_text(principle.arm(name), results.study.experiment)
    return [
        tag("th", name, tag("div", differs, class_="note") if differs else None, scope="row"),
        *(_extent(getattr(each, count) for each in costs) for count in COUNTED),
        _spread([each.error for each in known], 2), _spread([each.train_loss for each in known], 3), str(len(known)),
    ]  # fmt: skip


COUNTED = ("params", "macs", "depth")


def _extent(values: Iterable[float]) -> str:
    """Return the smallest and the largest of some counts: `12.1 k to 40.3 k`."""
    return " to ".join(dict.fromkeys(short(value) for value in _ends(values)))


def _ends(values: Iterable[float]) -> tuple[float, float]:
    known = list(values)
    return min(known), max(known)


def _spread(values: list[float], digits: int) -> str:
    if not values:
        return "-"
    middle = f"{mean(values):.{digits}f}"
    return f"{middle} ± {stdev(values):.{digits}f}" if len(values) > 1 else middle


def error_curves(results: StudyResults, principle: Principle) -> Child:
    """Return a chart of the validation error after each epoch, the mean over settings; None without results."""
    series = []
    for name, row in results.by_principle[principle.key].items():
        scores = [result.scores for result in row if result and result.scores]
        if scores:
            epochs = zip(*scores, strict=True)
            series.append(Series(name, [(each[0].epoch, 100 * mean(s.error for s in each)) for each in epochs]))
    label = f"{principle.key}: error over epochs"
    return line_chart(series, label, "epoch", "validation error, mean over settings, %") if series else None


def arm_drawings(results: StudyResults, principle: Principle) -> Markup:
    """Return the first arms, as built in the first setting, drawn next to each other."""
    graphs = list(results.plan.arms[principle.key][0].graphs.items())[:MAX_DRAWN]
    cards = [tag("div", tag("h4", name), tag("div", Markup(draw(graph, standalone=False)), class_="drawing"))
             for name, graph in graphs]  # fmt: skip
    return tag("details", tag("summary", "The networks of the first setting, drawn"), tag("div", cards, class_="pair"))
