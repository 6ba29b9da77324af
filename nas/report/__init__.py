"""A search as a page to read: front, progress, drawings, tables.

Reads only the run directory, and writes RUN/report/: index.html (one offline file), trials.csv, front.csv, and the
figures front and hypervolume as PNG and SVG.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nas.search.study import Run

__all__ = ["write"]


def write(run: "Run") -> Path:
    """Write the report of a run, finished or not, and return its page. The page appears whole or not at all."""
    from nas.report.figures import figures
    from nas.report.frame import write_csv
    from nas.report.page import page
    from nas.report.view import view

    folder = run.path / "report"
    folder.mkdir(parents=True, exist_ok=True)
    seen = view(run)
    write_csv(seen.table, folder / "trials.csv")
    write_csv(seen.table[seen.table["on_front"].astype(bool)].sort_values("error"), folder / "front.csv")
    figures(seen, folder)
    part = folder / "index.html.part"
    part.write_text(page(seen), encoding="utf-8")
    os.replace(part, folder / "index.html")
    return folder / "index.html"
