"""Error against cost: the front, the other trials, baselines and finalists, with a panel for the selected network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from nas.report.html.markup import Markup, tag
from nas.report.html.section import Section, chooser, plot, section
from nas.report.html.table import table
from nas.report.run.error_axis import error_axis
from nas.report.run.panel import network_details, network_template
from nas.report.run.values import value_of
from nas.report.run.view import View
from nas.report.text import axis_title, between, clip, listed, noun, plot_format, quantity
from nas.search.results.compare_errors import test_difference
from nas.search.results.finalist_files import Finalist, FinalistVariant
from nas.search.trial import TrialRecord
from nas.statistics import mean_share_interval

MAX_DRAWN = 60
Trace = dict[str, Any]


def front_section(view: View) -> Section | None:
    """Return the front; None while no trial is complete."""
    if not view.complete:
        return None
    menu = chooser("abscissa", "against", {name: axis_title(name) for name in view.axes})
    picks = [tag("li", _pick(view, record)) for record in view.front[:MAX_DRAWN]]
    shown = tag("div", tag("div", network_details(view, view.best or view.front[0]), id="shown"), class_="inner")
    panel = tag("aside", tag("h3", "Network", id="panel-title", aria_live="polite"), shown, id="panel",
                aria_labelledby="panel-title", tabindex=0)  # fmt: skip
    label = f"{view.noun('error').capitalize()} against cost, one point per trial"
    left = tag("div", menu, plot("front", label, _caption(view)),
               tag("ul", picks, class_="picks", aria_label="Networks on the front, by error"))  # fmt: skip
    hidden = [network_template(view, record) for record in (*_spread(view.front), *view.baselines)]
    html = section(
        "front", "Error against cost", tag("div", left, panel, class_="split"), _known_networks(view), hidden
    )
    return Section(html, {"front": _front_data(view)}, Path(__file__).with_suffix(".js"))


def _caption(view: View) -> str:
    names = [view.noun(name) for name in view.experiment.objectives]
    front = f"A network is on the front if no other is better in one of {listed(names)} without being worse in another."
    if len(names) == 1:
        front = f"The only objective is the {names[0]}, so the front is the network with the lowest."
    return f"{front} Dashed: the budget. Point at a network, or select one below, to see it."


def _pick(view: View, record: TrialRecord) -> Markup:
    value = quantity(view.abscissa, value_of(view.abscissa, record))
    error = tag("b", quantity("error", view.error_of(record)))
    return tag("button", error, f" · {value} {noun(view.abscissa)}", type="button",
               data_trial=record.number, title=f"trial {record.number}")  # fmt: skip


def _spread(records: tuple[TrialRecord, ...]) -> list[TrialRecord]:
    """Return at most 60 along the front, both ends included."""
    if len(records) <= MAX_DRAWN:
        return list(records)
    return [records[i] for i in np.linspace(0, len(records) - 1, MAX_DRAWN).round().astype(int)]


def _known_networks(view: View) -> Markup | None:
    """Return a table of the best network or the finalists, and the baselines; None without finalists and baselines."""
    if not (view.baselines or view.finalists) or view.best is None:
        return None
    numbers = {record.number: record for record in view.complete}
    rows = []
    for record in (*([numbers[each.number] for each in view.finalists] or [view.best]), *view.baselines):
        name = tag("button", trial_name(record), type="button", data_trial=record.number)
        final = view.finalist(record)
        costs = [quantity(name, value_of(name, record)) for name in view.costs]
        errors = [quantity("error", view.error_of(record)), view.interval_text(record)]
        test = quantity("error", final.test_error) if final else "-"
        rows.append([tag("th", name, scope="row"), *errors, test, *_less_best(view, final), *costs])
        variants = [each for each in view.variants if final and each.number == final.number]
        rows += [_variant_row(view, variant, costs) for variant in variants]
    caption = ("In the search each network, baselines included, was trained once with one recipe: the interval is over "
               "the validation images. Finalists were trained again, and so were baselines with a test error: mean and "
               "interval over seeds.")  # fmt: skip
    heads = [
        "network",
        view.noun("error"),
        "95 % interval",
        view.noun("test_error"),
        *([f"mean less that of trial {view.finalists[0].number}, points"] if view.finalists else []),
        *map(noun, view.costs),
    ]
    return tag("div", table(caption, heads, rows), class_="scroller")


def _less_best(view: View, final: Finalist | None) -> list[str]:
    """Return a cell where there are finalists: the mean test error less that of the best, with its interval."""
    if not view.finalists:
        return []
    compared, best = (*view.finalists, *view.retrained), view.finalists[0]
    found = test_difference(compared, best, final) if final and final != best else None
    return ["{} [{}, {}]".format(*found.in_points) if found else "-"]


def _variant_row(view: View, variant: FinalistVariant, costs: list[str]) -> list[Markup | str]:
    """Return the row of a finalist that was trained in another way; on all images, none is left to validate with."""
    error, interval = "-", "-"
    if variant.errors:
        error = quantity("error", fmean(variant.errors))
        interval = between(*mean_share_interval(variant.errors)) if len(variant.errors) > 1 else "-"
    name = tag("th", f"trial {variant.number}, {clip(variant.title, 60)}", scope="row")
    return [name, error, interval, quantity("error", variant.test_error), *_less_best(view, None), *costs]


def _front_data(view: View) -> dict[str, Any]:
    members = {record.number for record in view.front}
    numbers = {record.number: record for record in view.complete}
    parts: dict[str, Sequence[TrialRecord]] = {
        "other trials": [record for record in view.complete if record.number not in members],
        "front": view.front,
        "baselines": view.baselines,
        "finalists": [numbers[finalist.number] for finalist in view.finalists],
    }
    return {
        "traces": [_points(view, name, records) for name, records in parts.items()],
        "spread": _intervals(view),
        "chosen": (view.best or view.front[0]).number,
        "lined": view.abscissa if len(view.experiment.objectives) == 2 else None,
        "axes": {name: _axis(view, name, parts) for name in view.axes},
        "error": error_axis([view]),
    }


def _intervals(view: View) -> Trace:
    """Return the mean error of each finalist, and its 95 % interval as distances up and down."""
    rows = [(f.error, f.high - f.error, f.error - f.low) for f in view.finalists]
    return {"y": [row[0] for row in rows], "up": [row[1] for row in rows], "down": [row[2] for row in rows]}


def _points(view: View, name: str, records: Sequence[TrialRecord]) -> Trace:
    return {
        "name": name,
        "y": [view.error_of(record) if record.baseline else record.error for record in records],
        "customdata": [record.number for record in records],
        "text": [trial_name(record) for record in records],
    }


def trial_name(record: TrialRecord) -> str:
    """Return the name of a baseline, or `trial 7`."""
    return clip(record.baseline, 60) or f"trial {record.number}"


def _axis(view: View, name: str, parts: Mapping[str, Sequence[TrialRecord]]) -> dict[str, Any]:
    limit = view.limits.get(name)
    return {
        **axis_data(name),
        "x": [[value_of(name, record) for record in records] for records in parts.values()],
        "limits": [end for end in (limit.min, limit.max) if end is not None] if limit else [],
    }


def axis_data(name: str) -> dict[str, str]:
    """Return title, name and format of an objective's axis."""
    return {"title": axis_title(name), "name": noun(name), "format": plot_format(name)}
