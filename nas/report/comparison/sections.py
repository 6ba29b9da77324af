"""The sections of a comparison."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas.genome.diff import differences
from nas.report.comparison.comparison import RunComparison
from nas.report.comparison.groups import RunGroup
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import Section, chooser, plot, section
from nas.report.html.table import table
from nas.report.network import draw
from nas.report.run.error_axis import error_axis
from nas.report.run.front import axis_data, trial_name
from nas.report.run.header import budget_text
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import axis_title, between, clip, noun, quantity
from nas.search.trial import TrialRecord

MAX_POINTS = 1_000  # per run in the plot
SHARES = 5  # limits within which searches are compared
FOLDER = Path(__file__).parent


def overview_section(comparison: RunComparison) -> Section:
    """Return a table with one row per run, those that differ in their seed alone together."""
    error = comparison.views[0].noun("error")
    heads = ["search", f"mean {error}", "run", "seed", f"lowest {error}", *map(noun, comparison.costs), "front",
             "complete", "training time", "space", "sampler", "epochs", "budget", "hypervolume"]  # fmt: skip
    volumes = {each["name"]: f"{each['y'][-1]:.3f}" for each in comparison.volumes}
    rows = [[*([] if place else _group_cells(group)), name, str(view.experiment.seed),
             *_facts(view, best, comparison.costs), volumes[name]]
            for group in comparison.groups for place, (name, view, best) in enumerate(group.rows)]  # fmt: skip
    caption = "One row per run; runs that differ in their seed alone are one search: mean and interval over seeds."
    return Section(section("overview", "Side by side", tag("div", table(caption, heads, rows), class_="scroller")))


def _group_cells(group: RunGroup) -> list[Child]:
    """Return the cells that the runs of a group share: its name and its mean error."""
    error = quantity("error", group.error)
    shown = f"{error} ({between(*group.interval)})" if group.interval else error
    return [tag("th", group.name, scope="row", rowspan=len(group.rows)), tag("td", shown, rowspan=len(group.rows))]


def _facts(view: View, best: TrialRecord, costs: Sequence[str]) -> list[str]:
    experiment = view.experiment
    seconds = sum(record.seconds for record in view.run.records)
    return [
        quantity("error", best.error), *[quantity(name, value_of(name, best)) for name in costs], str(len(view.front)),
        f"{len(view.complete):,}", quantity("seconds", seconds), clip(experiment.space, 30), experiment.sampler,
        str(experiment.recipe.epochs), budget_text(view.limits) if view.limits else "none",
    ]  # fmt: skip


def fronts_section(comparison: RunComparison) -> Section:
    """Return the fronts of all runs in one plot, with their trials and baselines."""
    axes = comparison.views[0].axes
    menu = chooser("abscissa", "against", {name: axis_title(name) for name in axes})
    caption = "Lines: the fronts; dots: all complete trials; diamonds: baselines. Seeds of one search have one color."
    data = {
        "abscissa": axes[0],
        "error": error_axis(comparison.views),
        "axes": {name: axis_data(name) for name in axes},
        "runs": [
            {"name": name, "place": place, "group": comparison.groups[place].name,
             "lined": len(view.experiment.objectives) == 2,
             "front": _points(view.front, axes), "trials": _points(view.complete[:MAX_POINTS], axes),
             "baselines": _points(view.baselines, axes)}
            for (name, view, _), place in zip(comparison.rows, comparison.places, strict=True)
        ],
    }  # fmt: skip
    html = section("fronts", "The fronts", menu, plot("fronts", "Fronts of all runs", caption))
    return Section(html, {"fronts": data}, FOLDER / "fronts.js")


def _points(records: Sequence[TrialRecord], axes: Sequence[str]) -> dict[str, Any]:
    return {
        "x": {name: [value_of(name, record) for record in records] for name in axes},
        "y": [record.error for record in records],
        "text": [trial_name(record) for record in records],
    }


def limits_section(comparison: RunComparison) -> Section | None:
    """Return the lowest error of each search within shares of the largest cost; None of a single search."""
    if len(comparison.groups) < 2:
        return None
    name, error = comparison.views[0].abscissa, comparison.views[0].noun("error")
    rows = [[tag("th", f"at most {quantity(name, limit)}", scope="row"), *_cells_within(comparison, name, limit)]
            for limit in _limits(comparison, name)]  # fmt: skip
    caption = (f"The lowest {error} of each search within a limit of {noun(name)}, in the mean over its seeds. Bold: "
               "the lowest of a row; the others may differ from it by chance alone.")  # fmt: skip
    shown = table(caption, [noun(name), *(group.name for group in comparison.groups)], rows)
    return Section(section("limits", "Where each search leads", tag("div", shown, class_="scroller")))


def _limits(comparison: RunComparison, name: str) -> list[float]:
    """Return five shares of what the budgets allow, or of the largest cost where a run has no limit."""
    limits = [view.limits.get(name) for view in comparison.views]
    ends = [limit.max for limit in limits if limit and limit.max is not None]
    costs = [value_of(name, record) or 0 for view in comparison.views for record in view.complete]
    most = max(ends) if len(ends) == len(limits) else max(costs)
    return [most * share / SHARES for share in range(1, SHARES + 1)]


def _cells_within(comparison: RunComparison, name: str, limit: float) -> list[Child]:
    errors = [group.error_within(name, limit) for group in comparison.groups]
    lowest = min((error for error in errors if error is not None), default=None)
    return [tag("b", quantity("error", error)) if error is not None and error == lowest else quantity("error", error)
            for error in errors]  # fmt: skip


def volumes_section(comparison: RunComparison) -> Section:
    """Return the hypervolumes of all runs over their trials."""
    caption = ("Hypervolume of the Pareto front, with one reference point for all runs: for each objective the worst "
               "of the runs' own. Higher and earlier is better.")  # fmt: skip
    html = section("volumes", "Progress", plot("volumes", "Hypervolume of all runs over trials", caption))
    return Section(html, {"volumes": {"runs": comparison.volumes}}, FOLDER / "volumes.js")


def best_networks_section(comparison: RunComparison) -> Section:
    """Return the drawing of the best network of each search."""
    cards = [tag("div", tag("h3", group.name), tag("p", _summary(name, best, comparison.costs), class_="note"),
                 tag("div", Markup(draw(best.graph, standalone=False)), class_="drawing"))
             for group in comparison.groups for name, _, best in (group.best,)]  # fmt: skip
    return Section(section("networks", "The best networks", tag("div", cards, class_="columns")))


def _summary(run: str, best: TrialRecord, costs: Sequence[str]) -> str:
    values = [f"{quantity(name, value_of(name, best))} {noun(name)}" for name in costs]
    return f"trial {best.number} of {run}: {', '.join([quantity('error', best.error), *values])}"


def differences_section(comparison: RunComparison) -> Section | None:
    """Return the differences between the best network of the first search and that of each other; None of one."""
    first, *others = comparison.groups
    parts = list[Child]()
    for group in others:
        found = differences(first.best[2].graph, group.best[2].graph) or ["The networks are identical."]
        lines = [tag("li", clip(line, 300)) for line in found]
        parts += [tag("h3", f"From {first.name} to {group.name}"), tag("ul", lines)]
    return Section(section("words", "Differences between them", parts)) if parts else None


def commands_section(comparison: RunComparison) -> Section:
    """Return the commands that began the runs."""
    lines = "\n".join(f"{clip(view.run.command, 500)}  # {name}" for name, view, _ in comparison.rows)
    return Section(section("reproduce", "Run them again", tag("pre", tag("code", lines), tabindex=0)))
