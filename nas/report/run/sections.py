"""The parts of the page, in the order in which a reader asks for them."""

import numpy as np

from nas.report.html.markup import Child, Markup, join, tag
from nas.report.network import draw
from nas.report.run import tables
from nas.report.run.advice import advice
from nas.report.run.view import View
from nas.report.text import NAMES, clip, percent, quantity
from nas.search.trial import TrialRecord

MAX_DRAWN = 60


def section(identity: str, heading: str, *children: Child) -> Markup:
    """A part of the page, named by its heading."""
    title = tag("h2", heading, id=f"{identity}-heading")
    return tag("section", title, *children, id=identity, aria_labelledby=f"{identity}-heading")


def plot(name: str, label: str, caption: Child) -> Markup:
    """Where the script draws, and what is to be seen there."""
    return tag("figure", tag("div", id=f"{name}-plot", class_="plot", role="group", aria_label=label),
               tag("figcaption", caption))  # fmt: skip


def front(view: View) -> Child:
    """The front, with a panel that shows the network pointed at."""
    if not view.complete:
        return None
    names = [NAMES[name] for name in view.experiment.objectives]
    several = f"On the front no other network is better in {_listed(names)} without being worse in another."
    caption = (several if len(names) > 1 else "The only objective is the validation error, so the front is its least.",
               " Dashed: the budget. Point at a network, or choose one below, to see it.")  # fmt: skip
    chooser = tag("label", "against ", tag("select", id="abscissa"), class_="control")
    picks = [tag("li", _pick(view, record)) for record in view.front[:MAX_DRAWN]]
    chosen = tag("div", tag("div", tables.details(view, view.front[0]), id="shown"), class_="inner")
    panel = tag("aside", tag("h3", "Network", id="panel-title", aria_live="polite"), chosen, id="panel",
                aria_labelledby="panel-title", tabindex=0)  # fmt: skip
    left = tag("div", chooser, plot("front", "Validation error against cost, a point a trial", caption),
               tag("ul", picks, class_="picks", aria_label="Networks on the front, by error"),
               tables.known(view))  # fmt: skip
    hidden = [_template(view, record) for record in (*_spread(view.front), *view.baselines)]
    return section("front", "What a lower error costs", tag("div", left, panel, class_="split"), hidden)


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _pick(view: View, record: TrialRecord) -> Markup:
    value = getattr(record.cost, view.abscissa)
    cost = f" · {quantity(view.abscissa, value)} {NAMES[view.abscissa]}"
    return tag("button", tag("b", quantity("error", record.error)), cost, type="button", data_trial=record.number,
               title=f"trial {record.number}")  # fmt: skip


def _spread(records: tuple[TrialRecord, ...]) -> list[TrialRecord]:
    """At most 60 along the front, both ends included."""
    if len(records) <= MAX_DRAWN:
        return list(records)
    return [records[i] for i in np.linspace(0, len(records) - 1, MAX_DRAWN).round().astype(int)]


def _template(view: View, record: TrialRecord) -> Markup:
    picture = tag("div", Markup(draw(record.graph, standalone=False)), class_="drawing")
    name = clip(record.baseline, 60) or None
    return tag("template", tables.details(view, record), picture, id=f"trial-{record.number}", data_title=name)


def network(view: View) -> Child:
    """The best network: its drawing, and the source that was trained."""
    if view.best is None:
        return None
    from nas.model.source import source

    key = tag("p", "Blue: convolutions, darker for larger kernels. Green: pooling. Violet: linear layers. Orange: "
              "shortcuts, sums and concatenations. A stroke under or over a box: normalisation (grey), activation "
              "(amber). The line between blocks is as wide as its channels; the bar is the block's share of the MACs. "
              "Blocks that repeat are drawn once.", class_="note")  # fmt: skip
    text = source(view.best.graph)
    code = tag("details", tag("summary", f"Source: {len(text.splitlines())} lines of Python that import only torch"),
               tag("pre", tag("code", text), tabindex=0), open=True)  # fmt: skip
    drawing = tag("div", Markup(draw(view.best.graph, standalone=False)), class_="drawing", tabindex=0, role="region",
                  aria_label="Drawing of the best network")  # fmt: skip
    heading = f"The best network: trial {view.best.number}"
    return section("network", heading, key, tag("div", drawing, code, class_="split fit"))


def progress(view: View) -> Child:
    """Hypervolume over trials beside random order."""
    found = view.progress
    if found is None:
        return None
    worst = zip(view.experiment.objectives, found.reference, strict=True)
    point = _listed(
        [f"{percent(value) if name == 'error' else quantity(name, value)} {NAMES[name]}" for name, value in worst]
    )
    below, above = (found.found < found.low - 1e-12).mean(), (found.found > found.high + 1e-12).mean()
    caption = (
        "Hypervolume: the share of the box from zero to the reference point that the front commands; the reference is "
        f"{point} (guessing; the budget's limit, or 1.1 times the worst seen). Band: the same trials in random order, "
        "mean and 90 % of 100 shuffles: what luck of order alone gives. A search that learns finds its good networks "
        f"late and runs below the band. This one ran below it for {percent(below)} of its course, inside it for "
        f"{percent(1 - below - above)}, above it for {percent(above)}; it ended at {found.found[-1]:.3f}."
    )
    names = {"trials": "complete trials", "seconds": "training time"}
    options = [tag("option", name, value=value) for value, name in names.items()]
    chooser = tag("label", "over ", tag("select", options, id="course"), class_="control")
    return section("progress", "Did the search learn?", chooser, plot("progress", "Hypervolume over trials", caption))


def next_steps(view: View) -> Markup:
    """What to run next."""
    return section("next", "What to run next", tag("ol", [tag("li", line) for line in advice(view)], class_="next"))


def curves(view: View) -> Child:
    """Learning curves."""
    if not any(len(record.scores) > 1 for record in view.complete):
        return None
    caption = ("Validation error after each epoch. Bold: the best network; blue: the front; grey: other trials; "
               "a cross: stopped there.")  # fmt: skip
    return section("curves", "Learning curves", plot("curves", "Validation error after each epoch", caption))


def trials(view: View) -> Child:
    """Every trial."""
    if not view.run.records:
        return None
    scroller = tag("div", tables.trials(view), class_="scroller", tabindex=0, role="region",
                   aria_label="Table of trials")  # fmt: skip
    return section("all", "Every trial", scroller)


def ledger(view: View) -> Markup:
    """Rejects and failures, counted."""
    rejects = tag("div", tag("h3", "Proposals"), tables.ledger(view), class_="scroller")
    failures = tag("div", tag("h3", "Failures"), tables.failures(view), class_="scroller")
    both = tag("div", rejects, failures, class_="split even")
    return section("ledger", "What was not trained, and what failed", both)


def reproduce(view: View) -> Markup:
    """How to run it again."""
    run, experiment = view.run, view.experiment
    settings: list[tuple[Child, Child]] = [
        ("seed", experiment.seed), ("sampler", experiment.sampler), ("objectives", ", ".join(experiment.objectives)),
        ("recipe", ", ".join(f"{name} {value}" for name, value in vars(experiment.recipe).items())),
        ("versions", ", ".join(f"{clip(name, 40)} {clip(value, 40)}" for name, value in run.versions.items())),
    ]  # fmt: skip
    command = tag("pre", tag("code", clip(run.command, 2_000)), tabindex=0)
    return section("reproduce", "Run it again", command, tables.terms(settings))


def footer(view: View) -> Markup:
    """What lies beside the page."""
    names = ["trials.csv", "trials.parquet"]
    names += ["front.csv", "front.parquet", "front.svg", "hypervolume.svg"] if view.complete else []
    links = [[tag("a", name, href=name), " "] for name in names]
    return tag("p", "Beside this page: ", join(links))
