"""Trials as a table: one row per trial, plain columns, safe to open in a spreadsheet."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nas.errors import printable
from nas.files import atomic_file, atomic_write
from nas.report.run.values import plot_axes, values_of
from nas.search.experiment import Experiment
from nas.search.objectives import Budget
from nas.search.pareto import as_points, on_front
from nas.search.trial import TrialRecord

if TYPE_CHECKING:
    from nas.search.store.run import Run

_FORMULA = ("=", "+", "-", "@")  # a spreadsheet evaluates a cell that begins with one of these


def frame(run: "Run") -> pd.DataFrame:
    """Return one row per trial, by number.

    Columns: number, state, reason, space, error (fraction), loss (nats), epochs, seconds, the counts of `Cost`, other
    objectives, used.X (share of the budget's upper limit of X), on_front, fingerprint, and choice.X for each choice X.
    """
    records = sorted(run.records, key=lambda record: record.number)
    experiment = run.experiment
    rows = [_row(record, experiment) for record in records]
    table = pd.DataFrame(rows, columns=None if rows else list(_COLUMNS))
    nothing = (None,) * len(experiment.objectives)
    points = as_points([record.objectives(experiment.objectives) or nothing for record in records])
    position = list(table.columns).index("fingerprint")
    table.insert(position, "on_front", on_front(points) if records else [])
    return table


_COLUMNS = (
    "number", "state", "reason", "space", "error", "loss", "epochs", "seconds",
    "params", "macs", "flops", "activations", "peak_bytes", "depth", "fingerprint",
)  # fmt: skip


def _row(record: TrialRecord, experiment: Experiment) -> dict[str, Any]:
    last = record.scores[-1] if record.scores else None
    known = {
        "number": record.number,
        "state": record.state,
        "reason": record.reason,
        "space": experiment.space,
        "error": record.error,
        "loss": last.loss if last else None,
        "epochs": len(record.scores),
        "seconds": record.seconds,
        **record.cost.as_dict(),
    }
    others = values_of([name for name in plot_axes(experiment) if name not in known], record)
    shares = {f"used.{name}": share for name, share in used(record, experiment.budget).items()}
    chosen = {f"choice.{name}": value for name, value in record.choices.items()}
    return known | others | shares | {"fingerprint": record.fingerprint} | chosen


def used(record: TrialRecord, budget: Budget) -> dict[str, float]:
    """Return the share of each upper limit that the network uses."""
    return {name: budget.value(name, record) / limit.max for name, limit in budget.items() if limit.max}


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table, every text quoted and harmless to a spreadsheet and a terminal, the headings too.

    Raises OSError.
    """
    safe = table.rename(columns=harmless)
    for column in safe.columns[[kind.kind not in "biuf" for kind in safe.dtypes]]:
        safe[column] = safe[column].map(harmless)
    atomic_write(path, safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC))


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table; a column of words, or of words and numbers, becomes text. Raises OSError."""
    plain = table.copy()
    for column in plain.columns[[kind.kind not in "biuf" for kind in plain.dtypes]]:
        plain[column] = plain[column].map(lambda cell: None if cell is None or cell != cell else str(cell))
    with atomic_file(path) as file:
        plain.to_parquet(file, index=False)


def harmless(cell: Any) -> Any:
    """Return text with control characters escaped, and quoted if a spreadsheet would run it as a formula.

    Anything else is returned as it is.
    """
    if not isinstance(cell, str):
        return cell
    text = printable(str(cell), kept="")
    return f"'{text}" if text.startswith(_FORMULA) else text
