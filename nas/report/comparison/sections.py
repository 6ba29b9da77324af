"""The sections of a comparison."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas.genome.diff import differences
from nas.report.comparison.comparison import RunComparison
from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import Section, chooser, plot, section
from nas.report.html.table import table
from nas.report.network import draw
from nas.report.run.error_axis import error_axis
from nas.report.run.front import axis_data, trial_name
from nas.report.run.header import budget_text
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import axis_title, clip, noun, quantity
from nas.search.trial import TrialRecord

MAX_POINTS = 1_000  # per run in the plot
FOLDER = Path(__file__).parent


def overview_section(comparison: RunComparison) -> Section:
    """Return a table with one row per run."""
    error = comparison.views[0].noun("error")
    heads = ["run", "space", "sampler", "budget", "epochs", "complete", "training time", f"lowest {error}",
             *map(noun, comparison.costs), "front", "hypervolume"]  # fmt: skip
    rows = [[tag("th", name, scope="row"), *_facts(view, best, comparison.costs), f"{volumes['y'][-1]:.3f}"]
            for (name, view, best), volumes in zip(comparison.rows, comparison.volumes, strict=True)]  # fmt: skip
    scroller = tag("div", table("One row per run.", heads, rows), class_="scroller")
    return Section(section("overview", "Side by side", scroller))


def _facts(view: View, best: TrialRecord, costs: Sequence[str]) -> list[str]:
    experiment = view.experiment
    seconds = sum(record.seconds for record in view.run.records)
    return [
        clip(experiment.space, 30), experiment.sampler, budget_text(view.limits) if view.limits else "none",
        str(experiment.recipe.epochs), f"{len(view.complete):,}", quantity("seconds", seconds),
        quantity("error", best.error), *[quantity(name, value_of(name, best)) for name in costs], str(len(view.front)),
    ]  # fmt: skip


def fronts_section(comparison: RunComparison) -> Section:
    """Return the fronts of all runs in one plot, with their trials and baselines."""
    axes = comparison.views[0].axes
    menu = chooser("abscissa", "against", {name: axis_title(name) for name in axes})
    caption = "Lines: the fronts; dots: all complete trials; diamonds: baselines."
    data = {
        "abscissa": axes[0],
        "error": error_axis(comparison.views),
        "axes": {name: axis_data(name) for name in axes},
        "runs": [
            {"name": name, "lined": len(view.experiment.objectives) == 2,
             "front": _points(view.front, axes), "trials": _points(view.complete[:MAX_POINTS], axes),
             "baselines": _points(view.baselines, axes)}
            for name, view, _ in comparison.rows
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


def volumes_section(comparison: RunComparison) -> Section:
    """Return the hypervolumes of all runs over their trials."""
    caption = ("Hypervolume of the Pareto front, with one reference point for all runs: for each objective the worst "
               "of the runs' own. Higher and earlier is better.")  # fmt: skip
    html = section("volumes", "Progress", plot("volumes", "Hypervolume of all runs over trials", caption))
    return Section(html, {"volumes": {"runs": comparison.volumes}}, FOLDER / "volumes.js")


def best_networks_section(comparison: RunComparison) -> Section:
    """Return the drawings of the best networks."""
    cards = [tag("div", tag("h3", name), tag("p", _summary(best, comparison.costs), class_="note"),
                 tag("div", Markup(draw(best.graph, standalone=False)), class_="drawing"))
             for name, _, best in comparison.rows]  # fmt: skip
    return Section(section("networks", "The best networks", tag("div", cards, class_="columns")))


def _summary(best: TrialRecord, costs: Sequence[str]) -> str:
    values = [f"{quantity(name, value_of(name, best))} {noun(name)}" for name in costs]
    return f"trial {best.number}: {', '.join([quantity('error', best.error), *values])}"


def differences_section(comparison: RunComparison) -> Section:
    """Return the differences between the best network of the first run and that of each other run."""
    first, parts = comparison.rows[0], list[Child]()
    for name, _, best in comparison.rows[1:]:
        lines = differences(first[2].graph, best.graph) or ["The networks are identical."]
        parts += [tag("h3", f"From {first[0]} to {name}"), tag("ul", [tag("li", clip(line, 300)) for line in lines])]
    return Section(section("words", "Differences between them", parts))


def commands_section(comparison: RunComparison) -> Section:
    """Return the commands that began the runs."""
    lines = "\n".join(f"{clip(view.run.command, 500)}  # {name}" for name, view, _ in comparison.rows)
    return Section(section("reproduce", "Run them again", tag("pre", tag("code", lines), tabindex=0)))
