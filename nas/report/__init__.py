"""A search as a page to read: front, progress, drawings, tables.

Reads only the run directory, and writes RUN/report/: index.html (one offline file), the tables trials and front as
CSV and Parquet, and the figures front and hypervolume as PNG and SVG. Several runs are compared on one page.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nas.search.store.run import Run

__all__ = ["compare", "markdown", "write"]


def write(run: "Run") -> Path:
    """Write the report of a run, finished or not, and return its page. The page appears whole or not at all."""
    from nas.report.run.figures import figures
    from nas.report.run.frame import write_csv, write_parquet
    from nas.report.run.page import page
    from nas.report.run.view import view

    folder = run.path / "report"
    folder.mkdir(parents=True, exist_ok=True)
    seen = view(run)
    front = seen.table[seen.table["on_front"].astype(bool)].sort_values("error")
    for name, table in (("trials", seen.table), ("front", front)):
        write_csv(table, folder / f"{name}.csv")
        write_parquet(table, folder / f"{name}.parquet")
    figures(seen, folder)
    return _whole(folder / "index.html", page(seen))


def compare(runs: "Sequence[Run]", path: Path | None = None) -> Path:
    """Write a page that compares runs, in the first one's report folder if no path is given, and return it.

    Raises RunError for runs without a result or on different tasks.
    """
    from nas.report.comparison.page import page
    from nas.report.run.view import view

    return _whole(path or runs[0].path / "report" / "comparison.html", page([view(run) for run in runs]))


def markdown(run: "Run") -> str:
    """The report in brief, as Markdown for a pull request."""
    from nas.report.run.brief import brief
    from nas.report.run.view import view

    return brief(view(run))


def _whole(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
    return path
