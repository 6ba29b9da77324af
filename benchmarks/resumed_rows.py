"""Rows of a CSV file, one per run, which a second call goes on with."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

Asked = Mapping[str, object]
"""What a run is asked for, by column."""


def carried_out(
    out: Path, asked: Iterable[Asked], run: Callable[[dict[str, Any]], dict[str, object]], jobs: int
) -> Iterator[dict[str, object]]:
    """Carry out what the file has no row of yet, in so many processes, and yield each row once it is written.

    run: returns the columns of a result, which are added to those of what was asked.
    """
    wanted = [dict(each) for each in asked]
    rows = read_rows(out)
    known = set(rows[list(wanted[0])].itertuples(index=False, name=None)) if len(rows) else set()
    missing = [each for each in wanted if tuple(each.values()) not in known]
    out.parent.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(jobs) as pool:
        for each, found in pool.imap_unordered(_Carried(run), missing):
            rows = pd.concat([rows, pd.DataFrame([each | found])], ignore_index=True)
            rows.to_csv(out, index=False)
            yield each | found


class _Carried:
    """A run that returns what it was asked for beside its result."""

    def __init__(self, run: Callable[[dict[str, Any]], dict[str, object]]) -> None:
        self.run = run

    def __call__(self, asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, object]]:
        return asked, self.run(asked)


def read_rows(out: Path) -> pd.DataFrame:
    """Return the rows of a file; none where there is none yet."""
    return pd.read_csv(out) if out.is_file() else pd.DataFrame()
