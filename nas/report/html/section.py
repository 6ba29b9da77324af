"""A section of a page: its HTML, the data of its plots and the script that draws them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nas.report.html.markup import Child, Markup, tag


@dataclass(frozen=True)
class Section:
    """What a section adds to a page.

    html: made with `section`. data: plain data by name; the script reads it, and each name registers what draws it in
    the element that `plot` makes. script: a file of JavaScript, usually next to the Python file. asks: whether the
    script makes requests, which only the server that the page came from may answer.
    """

    html: Markup
    data: Mapping[str, Any] = field(default_factory=dict)
    script: Path | None = None
    asks: bool = False


def section(identity: str, heading: str, *children: Child) -> Markup:
    """Return the element of a section, labeled by its heading."""
    title = tag("h2", heading, id=f"{identity}-heading")
    return tag("section", title, *children, id=identity, aria_labelledby=f"{identity}-heading")


def plot(name: str, label: str, caption: Child) -> Markup:
    """Return the element in which the data of that name is drawn, with a caption."""
    return tag("figure", tag("div", id=f"{name}-plot", class_="plot", role="group", aria_label=label),
               tag("figcaption", caption))  # fmt: skip


def chooser(identity: str, label: str, options: Mapping[str, str]) -> Markup:
    """Return a labeled menu. options: texts by value, the first selected."""
    entries = [tag("option", text, value=value) for value, text in options.items()]
    return tag("label", f"{label} ", tag("select", entries, id=identity), class_="control")
