"""A search as a page: front, progress, drawings, tables.

Reads only the run directory, and writes RUN/report/: index.html (one offline file), the tables trials and front as
CSV and Parquet, and the figures front and hypervolume as PNG and SVG. Several runs are compared on one page.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nas.files import atomic_write

if TYPE_CHECKING:
    from nas.search.store.run import Run

__all__ = ["markdown_report", "write_comparison", "write_report"]


def write_report(run: "Run", page: Path | None = None, script_dir: Path | None = None) -> Path:
    """Write the report of a run, finished or not, and return its page. Raises OSError.

    page: a file to write instead of RUN/report, which gets the page alone. script_dir: a folder that gets the plotting
    library, to be shared by pages; None: the page holds it.
    """
    from nas.report.html.library import share_library
    from nas.report.run.figures import write_figures
    from nas.report.run.frame import write_csv, write_parquet
    from nas.report.run.page import run_page
    from nas.report.run.view import view_of

    view, folder = view_of(run), run.path / "report"
    library = share_library(script_dir, page or folder / "index.html") if script_dir else None
    if page is not None:
        return atomic_write(page, run_page(view, alone=True, library=library))
    folder.mkdir(parents=True, exist_ok=True)
    front = view.table[view.table["on_front"].astype(bool)].sort_values("error")
    for name, table in (("trials", view.table), ("front", front)):
        write_csv(table, folder / f"{name}.csv")
        write_parquet(table, folder / f"{name}.parquet")
    write_figures(view, folder)
    return atomic_write(folder / "index.html", run_page(view, library=library))


def write_comparison(runs: "Sequence[Run]", path: Path | None = None, script_dir: Path | None = None) -> Path:
    """Write a page that compares runs, in the first one's report folder if no path is given, and return it.

    script_dir: see `write_report`. Raises RunError for runs without a result or on different tasks, and OSError.
    """
    from nas.report.comparison.page import comparison_page
    from nas.report.html.library import share_library
    from nas.report.run.view import view_of

    views, path = [view_of(run) for run in runs], path or runs[0].path / "report" / "comparison.html"
    library = share_library(script_dir, path) if script_dir else None
    return atomic_write(path, comparison_page(views, library))


def markdown_report(run: "Run") -> str:
    """Return a short report as Markdown for a pull request."""
    from nas.report.run.brief import brief
    from nas.report.run.view import view_of

    return brief(view_of(run))
