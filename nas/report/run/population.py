"""The population of trained networks: its plots as plain data, and its parts of the page."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from nas.report.html.markup import Child, Markup, tag
from nas.report.run.insight import Influence, as_number, choices, groups, influences, log_errors, main_primitive, marks
from nas.report.run.sections import plot, section
from nas.report.run.tables import table
from nas.report.run.view import View
from nas.report.text import NAMES, clip, percent, quantity, title
from nas.search.trial import TrialRecord

MAX_CHOICES = 6  # to tell families by
MAX_AXES = 12
MAX_LINES = 300
MAX_POINTS = 2_000
MAX_KINDS = 6
BANDS = ("worst fifth", "fourth", "third", "second", "best fifth")
Data = dict[str, Any]


def data(view: View) -> dict[str, Data]:
    """The data of each plot that there is something to draw in."""
    if not influences(view.complete):
        return {}
    return {"families": families(view), "coordinates": coordinates(view), "primitives": primitives(view)}


def families(view: View) -> Data:
    """The share of networks up to each error, by the groups of each choice that may name families."""
    by_choice = {}
    for name in marks(view.complete)[:MAX_CHOICES]:
        labelled = sorted(zip(groups(view.complete, name), [record.error for record in view.complete], strict=True))
        by_choice[clip(name, 40)] = [
            _distribution(clip(label, 40), [error for _, error in part if error is not None])
            for label, part in groupby(labelled, key=lambda pair: pair[0])
        ]
    return {"choices": by_choice}


def _distribution(name: str, errors: list[float]) -> Data:
    """A step line from zero to one, of at most 200 steps."""
    ranks = np.unique(np.linspace(1, len(errors), min(len(errors), 200)).round().astype(int))
    values = np.sort(errors)
    return {"name": f"{name} ({len(errors)})", "x": values[[0, *(ranks - 1)]].round(5).tolist(),
            "y": [0, *(ranks / len(errors)).round(4).tolist()]}  # fmt: skip


def coordinates(view: View) -> Data:
    """Each trial as a line across its choices, its cost and its error, in five bands of error."""
    records = _thinned(view.complete, MAX_LINES)
    strongest = {influence.choice for influence in influences(view.complete)[:MAX_AXES]}
    axes = [_axis(clip(name, 40), [record.choices.get(name) for record in records])
            for name in choices(view.complete) if name in strongest]  # fmt: skip
    axes.append(_axis(NAMES[view.abscissa], [getattr(record.cost, view.abscissa) for record in records], view.abscissa))
    axes.append(_axis("validation error", log_errors(records).tolist()))
    errors = [record.error for record in records]
    axes[-1]["ticks"] = [
        [0, quantity("error", min(filter(None, errors), default=0))],
        [1, quantity("error", errors[-1])],
    ]
    lines: dict[str, list[float | None]] = {name: [] for name in BANDS}
    for place in range(len(records)):
        band = BANDS[-1 - min(4, 5 * place // len(records))]
        lines[band] += [axis["at"][place] for axis in axes] + [None]
    return {"axes": [{"name": axis["name"], "ticks": axis["ticks"]} for axis in axes], "lines": lines}


def _thinned(records: Sequence[TrialRecord], most: int) -> list[TrialRecord]:
    """At most so many along the order, both ends included."""
    return [records[i] for i in np.unique(np.linspace(0, len(records) - 1, most).round().astype(int))]


def _axis(name: str, values: list[Any], unit_of: str = "") -> Data:
    """Where each value stands between 0 and 1, and what is written there."""
    numbers = [as_number(value) for value in values]
    known = [value for value in numbers if value is not None]
    if len(known) == sum(value is not None for value in values) and known:
        low, span = min(known), max(known) - min(known) or 1.0
        at = [None if value is None else round((value - low) / span, 4) for value in numbers]
        ends = sorted({(0, low), (1 if max(known) > low else 0, max(known))})
        return {
            "name": name,
            "at": at,
            "ticks": [[y, quantity(unit_of, end) if unit_of else f"{end:g}"] for y, end in ends],
        }
    words = sorted({str(value) for value in values if value is not None})
    place = {word: round(i / max(1, len(words) - 1), 4) for i, word in enumerate(words)}
    ticks = [[place[word], clip(word, 16)] for word in words[:: max(1, len(words) // 6)]]
    return {"name": name, "at": [None if value is None else place[str(value)] for value in values], "ticks": ticks}


def primitives(view: View) -> Data:
    """Error against cost, the trials told apart by the primitive that takes most of their MACs."""
    records = _thinned(view.complete, MAX_POINTS)
    named = [main_primitive(record) for record in records]
    common = [name for name, _ in Counter(named).most_common(MAX_KINDS)]
    parts = {name: [r for r, own in zip(records, named, strict=True) if own == name] for name in common}
    if rest := [r for r, own in zip(records, named, strict=True) if own not in common]:
        parts["other"] = rest
    points = [
        {
            "name": f"{name} ({len(part)})",
            "x": [getattr(record.cost, view.abscissa) for record in part],
            "y": [record.error for record in part],
            "customdata": [record.number for record in part],
        }
        for name, part in parts.items()
    ]
    return {"groups": points, "axis": title(view.abscissa)}


def part(view: View) -> Child:
    """Families, choices and primitives; nothing while there are too few trials to speak of."""
    found = influences(view.complete)
    if not found:
        return None
    chooser = tag("label", "by ", tag("select", id="family"), class_="control")
    said = ("The share of networks with an error up to each value: the further left and up a line, the better the "
            "whole family, not only its best.")  # fmt: skip
    left = tag("div", tag("h3", "Families"), chooser, plot("families", "Distribution of errors by family", said))
    right = tag("div", tag("h3", "Choices that matter"), _influences(found))
    crossed = plot("coordinates", "Choices, cost and error of each trial",
                   f"Each line is a trial; blue and bold: the best fifth. At most {MAX_LINES} are drawn.")  # fmt: skip
    spent = plot("primitives", "Error against cost by main primitive",
                 "Colour: the primitive in which most of a network's MACs are spent.")  # fmt: skip
    both = tag("div", left, right, class_="split even")
    return section("population", "What the whole population says", both, tag("h3", "Every choice at once"), crossed,
                   tag("h3", "Error against cost by primitive"), spent)  # fmt: skip


def _influences(found: list[Influence]) -> Markup:
    rows = [[tag("th", clip(each.choice, 40), scope="row"), _bar(each.share), clip(each.best, 40)]
            for each in found[:MAX_AXES]]  # fmt: skip
    caption = ("The share of the variance of log error that one choice alone accounts for, less what chance would give "
               "(epsilon squared). Complete trials only, all of them inside the budget. A search that has learned "
               "tries bad values less often, which makes them count for less.")  # fmt: skip
    return table(caption, ["choice", "share of variance", "best value"], rows)


def _bar(share: float) -> Markup:
    bar = tag("span", tag("span", style=f"width:{min(share, 1):.1%}"), class_="bar", aria_hidden="true")
    return tag("td", tag("span", bar, percent(share), class_="share"))
