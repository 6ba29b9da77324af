"""All trained networks: errors by family, the influence of choices, and the primitives used."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import Section, chooser, plot, section
from nas.report.html.table import share_bar, table
from nas.report.run.error_axis import error_axis
from nas.report.run.front import axis_data
from nas.report.run.insight import (
    as_number,
    choice_names,
    family_choices,
    groups,
    influences,
    log_errors,
    main_primitive,
)
from nas.report.run.values import value_of
from nas.report.run.variance import MIN_SHARED, variance_shares
from nas.report.run.view import View
from nas.report.text import clip, noun, percent, quantity
from nas.search.trial import TrialRecord

MAX_CHOICES = 6  # that define families
MAX_AXES = 12
MAX_LINES = 300
MAX_POINTS = 2_000
MAX_KINDS = 6
BANDS = ("worst fifth", "fourth", "third", "second", "best fifth")
Data = dict[str, Any]


def population_section(view: View) -> Section | None:
    """Return families, choices and primitives; None while there are too few trials."""
    found = influences(view.complete)
    if not found:
        return None
    data = {"families": families(view), "coordinates": parallel_coordinates(view), "primitives": main_primitives(view)}
    by_choice = data["families"]["choices"]
    left = tag("div", tag("h3", "Families"), chooser("family", "by", {name: name for name in by_choice}),
               plot("families", "Distribution of errors by family",
                    "The share of networks with an error up to each value: the further left and up a line, the better "
                    "the whole family, not only its best network."))  # fmt: skip
    right = tag("div", tag("h3", "Choices that matter"), _choices(view))
    lines = plot("coordinates", "Choices, cost and error of each trial",
                 f"Each line is a trial; blue and bold: the best fifth. At most {MAX_LINES} are drawn.")  # fmt: skip
    points = plot("primitives", "Error against cost by main primitive",
                  "Color: the primitive with most of a network's MACs.")  # fmt: skip
    html = section("population", "All trained networks", tag("div", left, right, class_="split even"),
                   tag("h3", "All choices at once"), lines,
                   tag("h3", "Error against cost by primitive"), points)  # fmt: skip
    drawn = {name: value for name, value in data.items() if name != "families" or by_choice}
    return Section(html, drawn, Path(__file__).with_suffix(".js"))


def _choices(view: View) -> Markup:
    """Return the choices whose share of the variance is above 0, and what is left."""
    found = variance_shares(view.complete)
    if not found:
        return tag("p", f"Told from {MIN_SHARED} complete trials on; there are {len(view.complete)}.")
    told = [each for each in found if each.low > 0]
    rows: list[list[Child]] = [
        [tag("th", clip(each.choice, 40), scope="row"), _bar(each.share),
         f"{percent(each.low)} to {percent(each.high)}", clip(each.best, 40)]
        for each in told
    ]  # fmt: skip
    rest = 1 - sum(round(each.share, 2) for each in told)
    rows.append([tag("th", "all else, and chance", scope="row"), _bar(max(0.0, rest)), "", ""])
    caption = ("How the choices share the variance of log error, the most influential alone first: each explains what "
               "those above leave, less what chance would give (epsilon squared); 95 % intervals by a jackknife. "
               "Choices whose interval includes 0 are part of the rest. Complete trials only: a search that has "
               "learned tries bad values less often, which lowers their share.")  # fmt: skip
    return table(caption, ["choice", "share of variance", "95 % interval", "best value"], rows)


def _bar(share: float) -> Markup:
    return tag("td", tag("span", share_bar(share), percent(share), class_="share"))


def families(view: View) -> Data:
    """Return the share of networks up to each error, by the groups of each choice that defines families."""
    by_choice = {}
    for name in family_choices(view.complete)[:MAX_CHOICES]:
        labeled = sorted(zip(groups(view.complete, name), [record.error for record in view.complete], strict=True))
        by_choice[clip(name, 40)] = [
            _distribution(clip(label, 40), [error for _, error in part if error is not None])
            for label, part in groupby(labeled, key=lambda pair: pair[0])
        ]
    return {"choices": by_choice, "error": error_axis([view])}


def _distribution(name: str, errors: list[float]) -> Data:
    """Return a step line from zero to one, of at most 200 steps."""
    ranks = np.unique(np.linspace(1, len(errors), min(len(errors), 200)).round().astype(int))
    values = np.sort(errors)
    return {"name": f"{name} ({len(errors)})", "x": values[[0, *(ranks - 1)]].round(5).tolist(),
            "y": [0, *(ranks / len(errors)).round(4).tolist()]}  # fmt: skip


def parallel_coordinates(view: View) -> Data:
    """Return each trial as a line across its choices, its cost and its error, in five bands of error."""
    records = _thinned(view.complete, MAX_LINES)
    strongest = {influence.choice for influence in influences(view.complete)[:MAX_AXES]}
    axes = [_axis(clip(name, 40), [record.choices.get(name) for record in records])
            for name in choice_names(view.complete) if name in strongest]  # fmt: skip
    axes.append(_axis(noun(view.abscissa), [value_of(view.abscissa, record) for record in records], view.abscissa))
    axes.append(_axis(view.noun("error"), log_errors(records).tolist()))
    errors = [record.error for record in records]
    axes[-1]["ticks"] = [
        [0, quantity("error", min(filter(None, errors), default=0))],
        [1, quantity("error", errors[-1])],
    ]
    lines: dict[str, list[float | None]] = {name: [] for name in BANDS}
    for i in range(len(records)):
        band = BANDS[-1 - min(4, 5 * i // len(records))]
        lines[band] += [axis["at"][i] for axis in axes] + [None]
    return {"axes": [{"name": axis["name"], "ticks": axis["ticks"]} for axis in axes], "lines": lines}


def _thinned(records: Sequence[TrialRecord], count: int) -> list[TrialRecord]:
    """Return evenly spaced records, both ends included."""
    return [records[i] for i in np.unique(np.linspace(0, len(records) - 1, count).round().astype(int))]


def _axis(name: str, values: list[Any], unit_of: str = "") -> Data:
    """Return the position of each value between 0 and 1, and the ticks."""
    numbers = [as_number(value) for value in values]
    known = [value for value in numbers if value is not None]
    if len(known) == sum(value is not None for value in values) and known:
        low, span = min(known), max(known) - min(known) or 1.0
        at = [None if value is None else round((value - low) / span, 4) for value in numbers]
        ends = sorted({(0, low), (1 if max(known) > low else 0, max(known))})
        ticks = [[y, quantity(unit_of, end) if unit_of else f"{end:g}"] for y, end in ends]
        return {"name": name, "at": at, "ticks": ticks}
    words = sorted({str(value) for value in values if value is not None})
    positions = {word: round(i / max(1, len(words) - 1), 4) for i, word in enumerate(words)}
    ticks = [[positions[word], clip(word, 16)] for word in words[:: max(1, len(words) // 6)]]
    return {"name": name, "at": [None if value is None else positions[str(value)] for value in values], "ticks": ticks}


def main_primitives(view: View) -> Data:
    """Return error against cost, the trials grouped by the primitive with most of their MACs."""
    records = _thinned(view.complete, MAX_POINTS)
    named = [main_primitive(record) for record in records]
    common = [name for name, _ in Counter(named).most_common(MAX_KINDS)]
    parts = {name: [r for r, own in zip(records, named, strict=True) if own == name] for name in common}
    if rest := [r for r, own in zip(records, named, strict=True) if own not in common]:
        parts["other"] = rest
    points = [
        {
            "name": f"{name} ({len(part)})",
            "x": [value_of(view.abscissa, record) for record in part],
            "y": [record.error for record in part],
            "customdata": [record.number for record in part],
        }
        for name, part in parts.items()
    ]
    return {"groups": points, "error": error_axis([view]), "axis": axis_data(view.abscissa)}
