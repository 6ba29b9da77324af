"""Several runs on one page: their fronts over each other, their progress, their best networks side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nas.errors import RunError
from nas.genome.diff import differences
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.page import document, report_resource
from nas.report.network import draw
from nas.report.run.answer import budget
from nas.report.run.plots import is_wide
from nas.report.run.progress import MAX_STEPS, curve, reference_point
from nas.report.run.sections import plot, section
from nas.report.run.tables import table
from nas.report.run.view import COUNTS, View
from nas.report.text import NAMES, clip, quantity, title
from nas.search.pareto import as_points

MAX_POINTS = 1_000  # of each run on the plot
MAX_RUNS = 12


def page(views: Sequence[View]) -> str:
    """The page as HTML text. Raises RunError for runs that cannot be compared."""
    check(views)
    names = labels(views)
    head = tag("header", tag("p", "Architecture search", class_="kicker"),
               tag("h1", f"{len(views)} searches on {clip(views[0].run.task.name)} compared"),
               tag("p", _answer(views, names), class_="answer"))  # fmt: skip
    parts = [_overview(views, names), _fronts(), _progress(), _networks(views, names), _words(views, names),
             _commands(views, names)]  # fmt: skip
    plots = {"fronts": fronts(views, names), "volumes": volumes(views, names)}
    return document("comparison", [head, tag("main", parts, id="results")], plots, _script())


def _script() -> str:
    return report_resource("html/page.js") + report_resource("comparison/comparison.js")


def check(views: Sequence[View]) -> None:
    """Raises RunError unless every run has a result and all have one task."""
    for view in views:
        if not view.complete:
            raise RunError(f"{view.run.path}: no trial is complete yet, so there is nothing to compare")
        if view.run.task != views[0].run.task:
            tasks = f"{clip(view.run.task)} and {clip(views[0].run.task)}"
            raise RunError(
                f"{view.run.path} and {views[0].run.path} have different tasks ({tasks}): do not compare them"
            )
    if not 2 <= len(views) <= MAX_RUNS:
        raise RunError(f"2 to {MAX_RUNS} runs can be compared, not {len(views)}")


def labels(views: Sequence[View]) -> list[str]:
    """A name for each run: its directory's, with a letter where two are alike."""
    names = [clip(view.run.path.resolve().name, 40) for view in views]
    return [f"{name} ({chr(65 + i)})" if names.count(name) > 1 else name for i, name in enumerate(names)]


def _answer(views: Sequence[View], names: Sequence[str]) -> Child:
    finals = volumes(views, names)["runs"]
    first = min(range(len(views)), key=lambda i: (_best(views[i]).error, _best(views[i]).cost.macs))
    widest = max(range(len(views)), key=lambda i: finals[i]["y"][-1])
    best = _best(views[first])
    return [
        tag("strong", names[first]), " found the network of least validation error, "
        f"{quantity('error', best.error)} with {quantity('macs', best.cost.macs)} MACs (trial {best.number}); ",
        tag("strong", names[widest]),
        f" has the front that commands most, a hypervolume of {finals[widest]['y'][-1]:.3f}. Each is one search from "
        "one seed: which method is better is for several seeds of each to say.",
    ]  # fmt: skip


def _best(view: View) -> Any:
    assert view.best is not None
    return view.best


HEADS = ("run", "space", "sampler", "budget", "epochs", "complete", "trained for", "least error", "parameters", "MACs",
         "front", "hypervolume")  # fmt: skip


def _overview(views: Sequence[View], names: Sequence[str]) -> Markup:
    finals = volumes(views, names)["runs"]
    rows = [[tag("th", name, scope="row"), *_facts(view), f"{final['y'][-1]:.3f}"]
            for view, name, final in zip(views, names, finals, strict=True)]  # fmt: skip
    return section("overview", "Side by side", tag("div", table("A row a run.", HEADS, rows), class_="scroller"))


def _facts(view: View) -> list[str]:
    asked, best = view.experiment, _best(view)
    spent = sum(record.seconds for record in view.run.records)
    return [
        clip(asked.space, 30), asked.sampler, budget(view.limits) if view.limits else "none",
        str(asked.recipe.epochs), f"{len(view.complete):,}", quantity("seconds", spent), quantity("error", best.error),
        quantity("params", best.cost.params), quantity("macs", best.cost.macs), str(len(view.front)),
    ]  # fmt: skip


def _fronts() -> Markup:
    chooser = tag("label", "against ", tag("select", id="abscissa"), class_="control")
    caption = "Lines: the fronts; dots: all complete trials; diamonds: baselines."
    return section("fronts", "The fronts", chooser, plot("fronts", "Fronts of all runs", caption))


def fronts(views: Sequence[View], names: Sequence[str]) -> dict[str, Any]:
    """For each run its front, its trials and its baselines, and their costs by every count."""
    shared = views[0].abscissa
    return {
        "abscissa": shared,
        "log": is_wide([record.error for view in views for record in (*view.complete, *view.baselines)]),
        "axes": {name: {"title": title(name), "name": NAMES[name]} for name in COUNTS},
        "runs": [
            {"name": name, "lined": len(view.experiment.objectives) == 2,
             "front": _points(view.front), "trials": _points(view.complete[:MAX_POINTS]),
             "baselines": _points(view.baselines)}
            for view, name in zip(views, names, strict=True)
        ],
    }  # fmt: skip


def _points(records: Sequence[Any]) -> dict[str, Any]:
    return {
        "x": {name: [getattr(record.cost, name) for record in records] for name in COUNTS},
        "y": [record.error for record in records],
        "text": [clip(record.baseline, 60) or f"trial {record.number}" for record in records],
    }


def _progress() -> Markup:
    caption = ("Hypervolume with one reference point for all: of each objective the worst of the runs' own. The higher "
               "and the earlier, the better.")  # fmt: skip
    return section("volumes", "Progress", plot("volumes", "Hypervolume of all runs over trials", caption))


def volumes(views: Sequence[View], names: Sequence[str]) -> dict[str, Any]:
    """Hypervolume over complete trials, all runs from one reference point in the objectives they share."""
    alike = all(view.experiment.objectives == views[0].experiment.objectives for view in views)
    objectives = views[0].experiment.objectives if alike else ("error", "macs")
    rows = [as_points([r.objectives(objectives) or () for r in sorted(view.complete, key=lambda r: r.number)])
            for view in views]  # fmt: skip
    own = [
        reference_point(view.experiment.model_copy(update={"objectives": objectives}), view.run.task.classes, points)
        for view, points in zip(views, rows, strict=True)
    ]
    reference = np.array(own).max(axis=0)
    curves = []
    for name, points in zip(names, rows, strict=True):
        steps = np.unique(np.linspace(1, len(points), MAX_STEPS).round().astype(np.int64))
        curves.append({"name": name, "x": steps.tolist(), "y": curve(points / reference, steps).round(6).tolist()})
    return {"runs": curves}


def _networks(views: Sequence[View], names: Sequence[str]) -> Markup:
    cards = []
    for view, name in zip(views, names, strict=True):
        best = _best(view)
        costs = f"{quantity('params', best.cost.params)} parameters, {quantity('macs', best.cost.macs)} MACs"
        said = f"trial {best.number}: {quantity('error', best.error)}, {costs}"
        picture = tag("div", Markup(draw(best.graph, standalone=False)), class_="drawing")
        cards.append(tag("div", tag("h3", name), tag("p", said, class_="note"), picture))
    return section("networks", "The best networks", tag("div", cards, class_="columns"))


def _words(views: Sequence[View], names: Sequence[str]) -> Child:
    """What separates the best network of the first run from each other one."""
    parts: list[Child] = []
    for view, name in zip(views[1:], names[1:], strict=True):
        found = differences(_best(views[0]).graph, _best(view).graph) or ["They are one network."]
        parts += [tag("h3", f"From {names[0]} to {name}"), tag("ul", [tag("li", clip(line, 300)) for line in found])]
    return section("words", "What separates them", parts)


def _commands(views: Sequence[View], names: Sequence[str]) -> Markup:
    lines = "\n".join(f"{clip(view.run.command, 500)}  # {name}" for view, name in zip(views, names, strict=True))
    return section("reproduce", "Run them again", tag("pre", tag("code", lines), tabindex=0))
