"""Tables and lists of terms."""

from collections.abc import Iterable, Sequence

from nas.report.html.markup import Child, Markup, tag
from nas.report.text import percent


def table(caption: Child, heads: Sequence[Child], rows: Iterable[Iterable[Child]], **attributes: str) -> Markup:
    """Return a table with a caption. Cells that are not `td` or `th` yet become `td`."""
    body = [tag("tr", [cell if _is_cell(cell) else tag("td", cell) for cell in row]) for row in rows]
    head = tag("tr", [tag("th", each, scope="col") for each in heads])
    return tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body), **attributes)


def _is_cell(cell: Child) -> bool:
    return isinstance(cell, Markup) and cell.startswith(("<td", "<th"))


def sortable_cell(shown: Child, value: float | str | None) -> Markup:
    """Return a cell that sorts by `value`; missing ones sort last."""
    return tag("td", shown, data_value="" if value is None else str(value))


def terms(pairs: Sequence[tuple[Child, Child]], style: str = "terms") -> Markup:
    """Return names and values: in two columns as "terms", one after another as "pairs"."""
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs]
    return tag("dl", rows, class_=style) if rows else Markup()


def share_bar(share: float) -> Markup:
    """Return a share as a bar."""
    return tag("span", tag("span", style=f"width:{min(share, 1):.1%}"), class_="bar", aria_hidden="true")


def share_row(name: Child, count: int, whole: int) -> list[Child]:
    """Return a row of a table: a name, a count and its share of the whole."""
    return [tag("th", name, scope="row"), f"{count:,}", percent(count / whole) if whole else "-"]
