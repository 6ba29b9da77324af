"""The best network class by class: recall on the validation images, and which classes it takes for which."""

import numpy as np

from nas.report.html.markup import Child, Markup, tag
from nas.report.html.section import Section, section
from nas.report.html.table import share_bar, table
from nas.report.run.view import View
from nas.report.text import clip, quantity
from nas.search.results.class_results import MAX_CLASSES, most_confused, name_of
from nas.search.store.confusion import load_confusion
from nas.training.metrics import Confusion, recalls

MAX_CONFUSIONS = 20
Names = tuple[str, ...] | None


def classes_section(view: View) -> Section | None:
    """Return recall and confusion matrix of the best network; None where its matrix was not kept.

    Those that are kept are of the search: a finalist has other weights.
    """
    if view.best is None or view.finalists:
        return None
    found = load_confusion(view.run.path, view.best.number)
    if found is None:
        return None
    names = view.run.data.class_names
    matrix = _matrix(found, names) if len(found) <= MAX_CLASSES else _most_confused(found, names)
    both = tag("div", tag("div", _recalls(found, names), class_="scroller"), tag("div", matrix, class_="scroller"),
               class_="split even")  # fmt: skip
    heading = f"Class by class: trial {view.best.number} on the validation images"
    return Section(section("classes", heading, both))


def _recalls(found: Confusion, names: Names) -> Markup:
    shares, totals = recalls(found), found.sum(1)
    order = np.argsort(shares, kind="stable") if len(found) > MAX_CLASSES else range(len(found))
    rows = [
        [tag("th", _name(label, names), scope="row"), f"{totals[label]:,}", _share(float(shares[label]))]
        for label in map(int, order)
    ]
    return table("Recall: the share of a class's images that are recognized.", ["class", "images", "recall"], rows)


def _share(share: float) -> Child:
    return "-" if share != share else tag("span", share_bar(share), f"{share * 100:.1f} %", class_="share")


def _matrix(found: Confusion, names: Names) -> Markup:
    heads = ["class", *(_name(label, names) for label in range(len(found)))]
    rows = [
        [tag("th", heads[label + 1], scope="row"), *(_cell(n, sum(row), at == label) for at, n in enumerate(row))]
        for label, row in enumerate(found.tolist())
    ]
    return table("Confusion matrix: images by class (rows) and by predicted class (columns).", heads, rows)


def _cell(count: int, total: int, right: bool) -> Markup:
    """Return a cell, shaded by its share of the class."""
    color = "--accent" if right else "--hot"
    shade = f"background:color-mix(in srgb,var({color}) {60 * count / total:.0f}%,transparent)" if count else None
    return tag("td", f"{count:,}" if count else "", style=shade)


def _most_confused(found: Confusion, names: Names) -> Markup:
    totals = found.sum(1)
    rows = [
        [tag("th", _name(true, names), scope="row"), _name(said, names), f"{count:,}",
         quantity("error", count / int(totals[true]))]
        for true, said, count in most_confused(found, MAX_CONFUSIONS)
    ]  # fmt: skip
    heads = ["class", "predicted", "images", "share of the class"]
    return table(f"The {len(rows)} most frequent confusions.", heads, rows)


def _name(label: int, names: Names) -> str:
    return clip(name_of(label, names), 30)
