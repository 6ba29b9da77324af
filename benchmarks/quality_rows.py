"""Results of runs on tables, one row each in a CSV file."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from nas.errors import DataError

CHECKPOINTS = (25, 50, 100)


@dataclass(frozen=True)
class Run:
    """What one row of the CSV file is the result of."""

    set: str
    sampler: str
    seed: int
    trainings: int
    objectives: str
    budget_share: float


MEASURES = ("regret", "finalists_regret", "short_regret", "missing")
COLUMNS = (
    *[field.name for field in fields(Run)],
    *[f"{measure}_{count}" for measure in MEASURES for count in CHECKPOINTS],
    "optimum", "own_error", "cpu_seconds",
)  # fmt: skip


def finished(out: Path) -> set[Run]:
    """Return the runs of a CSV file, from which a last line that a kill cut short is removed first.

    Raises DataError for a file with other columns.
    """
    if not out.is_file():
        return set()
    text = out.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        out.write_text(text, encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    if tuple(rows.fieldnames or COLUMNS) != COLUMNS:
        raise DataError(f"{out} has other columns than this version writes; name another file")
    return {_run(row) for row in rows}


def _run(row: Mapping[str, str]) -> Run:
    settings = int(row["trainings"]), row["objectives"], float(row["budget_share"])
    return Run(row["set"], row["sampler"], int(row["seed"]), *settings)


def append(out: Path, row: dict[str, object]) -> None:
    """Add a row to a CSV file, which begins with the names of the columns."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if not file.tell():
            writer.writeheader()
        writer.writerow(row)
