"""The scoreboard: the best networks of our searches by number of parameters, beside published ones.

    python -m benchmarks.scoreboard               # makes reports/scoreboard.md and .json anew
    python -m benchmarks.scoreboard add RUN       # first sets the row of a run that has finalists

The published rows come from reports/published.csv. Ours are kept in reports/scoreboard.json, so that a run need not be
there any more. A run sets the row of its data set and of the smallest budget that holds its limit of parameters, with
the finalist of lowest mean validation error; what the row had before is replaced. Which of several runs to add is for
validation to say: test accuracy is what the scoreboard reports.
"""

import argparse
import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean

from nas.errors import NasError, RunError, quoted
from nas.files import atomic_write
from nas.search.objectives import Range
from nas.search.results.finalist_files import load_finalists
from nas.search.store.rows import STRICT, read_rows
from nas.search.store.run import Run, load_run
from nas.statistics import mean_share_interval

FOLDER = Path(__file__).parents[1] / "reports"
OURS = "nas"  # the source of our rows
BUDGETS = {"nas-22k": 22_000, "nas-78k": 78_000, "nas-100k": 100_000, "nas-270k": 270_000, "nas-1M": 1_000_000}
"""The largest number of parameters by the name of our row."""
DATASETS = ("cifar10", "cifar100", "fashion_mnist")  # that have a row of ours for every budget, also an empty one

HEADER = """# Scoreboard

Test accuracy in percent by number of parameters: `nas-78k` is the best network of a search of ours with at most 78,000
parameters, the others are published. Made by `python -m benchmarks.scoreboard`; the same rows are in
[scoreboard.json](scoreboard.json). A row of ours without numbers is a search that has not been run to its end.

The trainings differ, so a difference between two rows is one of network and training together:

- Ours is the finalist of lowest mean validation error, decided before a test image is read; its accuracy is the mean
  over seeds with a 95 % interval (Student's t). [Experiments](../experiments) are planned for hours of two CPU cores:
  45,000 or 54,000 training images, and 36 epochs for finalists.
- Published ones were not trained here. Where their source names epochs, these are 200 to 1,440, usually on GPUs; how
  they chose the epoch and the seed that they tell was not checked. Epochs of each: [published.csv](published.csv).
- Published counts are rounded, so a budget is compared in thousands of parameters. An empty cell is not known.
"""
COLUMNS = ("budget", "network", "parameters", "MACs", "test accuracy", "95 % interval", "seeds", "source")


@dataclass(frozen=True)
class ScoreRow:
    """A network on a data set; None: not known, or not run yet.

    macs: multiply-accumulates per image. accuracy: on the test images, in percent, the mean over seeds. low, high: its
    95 % interval. source: where it is published, or "nas".
    """

    __pydantic_config__ = STRICT

    dataset: str
    network: str
    params: int | None = None
    macs: int | None = None
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int | None = None
    source: str = OURS

    @property
    def budget(self) -> int:
        """Return the largest number of parameters of its class: of our rows by name, of others by their own number.

        Published numbers are rounded, so thousands are compared.
        """
        if self.source == OURS:
            return BUDGETS[self.network]
        return next(most for most in BUDGETS.values() if round((self.params or 0) / 1_000) <= most // 1_000)


def published(file: Path) -> list[ScoreRow]:
    """Return the published rows. Raises OSError, and ValueError or KeyError for other columns."""
    with file.open(encoding="utf-8", newline="") as text:
        return [
            ScoreRow(
                each["dataset"], each["network"], _integer(each["params"]), _integer(each["macs"]),
                float(each["accuracy"]), seeds=_integer(each["seeds"]), source=each["source"],
            )
            for each in csv.DictReader(text)
        ]  # fmt: skip


def _integer(text: str) -> int | None:
    return int(text) if text else None


def row_of_run(run: Run) -> ScoreRow:
    """Return the row that a run sets. Raises RunError without finalists, or where no budget holds its networks."""
    finalists = load_finalists(run.path)
    if not finalists:
        raise RunError(f"{run.path} has no finalists yet; train them with: nas finalists {quoted(run.path)}")
    if run.experiment.metric != "error":
        raise RunError(f"{run.path}: its finalists are compared by {run.experiment.metric}, not by accuracy")
    best = finalists[0]
    cost = run.record(str(best.number)).cost
    limit = (run.experiment.budget.get("params") or Range()).max or cost.params
    name = next((name for name, most in BUDGETS.items() if limit <= most), None)
    if name is None:
        raise RunError(f"{run.path}: {limit:,} parameters are more than any budget of the scoreboard")
    errors = best.test_errors or (best.test_error,)
    row = ScoreRow(run.task.name, name, cost.params, cost.macs, _percent(1 - fmean(errors)), seeds=len(errors))
    if len(errors) == 1:
        return row
    low, high = mean_share_interval(errors)
    return replace(row, low=_percent(1 - high), high=_percent(1 - low))


def _percent(share: float) -> float:
    return round(100 * share, 2)


def merged(ours: Sequence[ScoreRow], others: Sequence[ScoreRow]) -> list[ScoreRow]:
    """Return all rows in order, with an empty one for each budget that has none; of two of one name the last."""
    rows = {(dataset, name): ScoreRow(dataset, name) for dataset in DATASETS for name in BUDGETS}
    rows |= {(each.dataset, each.network): each for each in ours}
    return sorted([*rows.values(), *others], key=_order)


def _order(row: ScoreRow) -> tuple[str, int, bool, float, str]:
    return row.dataset, row.budget, row.source != OURS, -(row.accuracy or 0), row.network


def markdown(rows: Sequence[ScoreRow]) -> str:
    """Return the scoreboard as a page of Markdown, one table per data set."""
    datasets = dict.fromkeys(row.dataset for row in rows)
    return HEADER + "".join(_table(name, [row for row in rows if row.dataset == name]) for name in datasets)


def _table(dataset: str, rows: Sequence[ScoreRow]) -> str:
    return f"\n## {dataset}\n\n" + markdown_table(COLUMNS, map(_cells, rows))


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = (columns, ("---",) * len(columns), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(row: ScoreRow) -> tuple[str, ...]:
    interval = "" if row.low is None else f"{row.low:.2f} to {row.high:.2f}"
    accuracy = "" if row.accuracy is None else f"{row.accuracy:.2f}"
    counts = ["" if count is None else f"{count:,}" for count in (row.params, row.macs, row.seeds)]
    return f"{row.budget:,}", row.network, *counts[:2], accuracy, interval, counts[2], row.source


def update(folder: Path, added: Sequence[ScoreRow] = ()) -> list[ScoreRow]:
    """Write scoreboard.json and scoreboard.md of a folder anew, with rows of ours that are added, and return all rows.

    Raises OSError, and ValueError when scoreboard.json or published.csv is damaged.
    """
    file = folder / "scoreboard.json"
    ours = [row for row in read_rows(file, ScoreRow) if row.source == OURS]
    rows = merged([*ours, *added], published(folder / "published.csv"))
    lines = ",\n ".join(json.dumps(asdict(row)) for row in rows)
    atomic_write(file, f"[\n {lines}\n]\n")
    atomic_write(folder / "scoreboard.md", markdown(read_rows(file, ScoreRow)))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the scoreboard anew, with the run that is added."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("add", help="set the row of a run").add_argument("run", type=Path)
    options = parser.parse_args(arguments)
    try:
        added = [row_of_run(load_run(options.run))] if options.verb else []
        update(options.folder, added)
    except (NasError, ValueError) as problem:
        parser.exit(2, f"{problem}\n")
    for row in added:
        print(f"{row.dataset}, {row.network}: {row.accuracy} %")
    print(options.folder / "scoreboard.md")


if __name__ == "__main__":
    main()
