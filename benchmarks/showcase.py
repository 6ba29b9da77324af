"""What searches found, as a table for README.md and a picture: the best finalist of each, and its baselines.

    python -m benchmarks.showcase runs/cifar10 runs/random=random runs/cifar10_22k --picture reports/showcase.svg

A run is named by its folder, or by what stands behind `=`. Each gives a row for its best finalist, chosen on validation
images before a test image was read, one for each of the other ways in which that was trained, and one for each baseline
that was trained as the finalists were. Test accuracy is the mean over seeds with a 95 % interval by Student's t. Hours
are of one core: those of the search are of all its trainings, those of a network of its trainings from all seeds. The
table goes to stdout. The picture shows test accuracy against MACs.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.scoreboard import markdown_table
from nas.errors import RunError, quoted
from nas.files import atomic_file
from nas.report.run.values import value_of
from nas.report.text import quantity
from nas.search.results.finalist_files import load_baselines, load_finalists, load_variants
from nas.search.store.run import Run, load_run
from nas.search.trial import TrialRecord
from nas.statistics import mean_share_interval

COLUMNS = ("data", "network", "parameters", "MACs", "RAM", "flash", "test accuracy", "hours")
BEST, OTHER, BASELINE = "best of a search", "trained otherwise", "baseline"


@dataclass(frozen=True)
class ShowcaseRow:
    """A network of a run. kind: what it is there for. test_errors: by seed. hours: of one core."""

    run: Run
    record: TrialRecord
    kind: str
    name: str
    test_errors: tuple[float, ...]
    hours: float

    @property
    def accuracy(self) -> tuple[float, float, float]:
        """Return the mean test accuracy and the ends of its interval, in percent."""
        low, high = mean_share_interval(self.test_errors)
        return 100 * (1 - fmean(self.test_errors)), 100 * (1 - high), 100 * (1 - low)

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the cells of its row; a network that has no RAM has a dash."""
        mean, low, high = self.accuracy
        interval = f" [{low:.1f}, {high:.1f}]" if len(self.test_errors) > 1 else ""
        memory = [quantity(name, value_of(name, self.record)) for name in ("ram", "flash")]
        counts = [f"{self.record.cost.params:,}", quantity("macs", self.record.cost.macs)]
        seeds = f", {len(self.test_errors)} seeds"
        return self.run.task.name, self.name, *counts, *memory, f"{mean:.1f}{interval}{seeds}", f"{self.hours:.1f}"


def showcase_rows(run: Run, name: str) -> Iterator[ShowcaseRow]:
    """Yield the rows of a run. Raises RunError without finalists."""
    finalists = load_finalists(run.path)
    if not finalists:
        raise RunError(f"{run.path} has no finalists yet; train them with: nas finalists {quoted(run.path)}")
    best = finalists[0]
    record = run.record(str(best.number))
    searched = sum(each.seconds for each in run.records) + sum(each.seconds for each in finalists)
    yield ShowcaseRow(run, record, BEST, name, best.test_errors or (best.test_error,), searched / 3600)
    for variant in load_variants(run.path):
        if (variant.number, variant.epochs) == (best.number, best.epochs):
            yield ShowcaseRow(run, record, OTHER, f"{name}, {variant.title}", variant.test_errors, 0.0)
    for each in load_baselines(run.path):
        if each.epochs == best.epochs:
            known, errors = run.record(str(each.number)), each.test_errors or (each.test_error,)
            yield ShowcaseRow(run, known, BASELINE, known.baseline, errors, each.seconds / 3600)


def markdown(rows: Sequence[ShowcaseRow]) -> str:
    """Return rows as a table of Markdown."""
    return markdown_table(COLUMNS, [row.cells for row in rows])


def draw(rows: Sequence[ShowcaseRow], file: Path) -> None:
    """Draw test accuracy against MACs, a color for what each network is. Raises OSError."""
    import matplotlib as mpl
    import seaborn as sns

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    sns.set_theme(style="whitegrid", font_scale=0.9)
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    colors = dict(zip((BEST, OTHER, BASELINE), sns.color_palette("colorblind"), strict=False))
    for kind, color in colors.items():
        _draw_kind(axes, [row for row in rows if row.kind == kind], kind, color)
    axes.set(xlabel="million multiply-accumulates per image", ylabel="test accuracy in percent")
    axes.legend(frameon=False, loc="lower right")
    with atomic_file(file) as open_file:
        figure.savefig(open_file, format=file.suffix[1:], metadata={"Date": None} if file.suffix == ".svg" else None)
    plt.close(figure)


def _draw_kind(axes: Any, rows: Sequence[ShowcaseRow], kind: str, color: Any) -> None:
    if not rows:
        return
    macs, spans = [row.record.cost.macs / 1e6 for row in rows], [row.accuracy for row in rows]
    bars = [[mean - low for mean, low, _ in spans], [high - mean for mean, _, high in spans]]
    axes.errorbar(macs, [span[0] for span in spans], bars, fmt="o", color=color, capsize=3, label=kind)
    for x, (mean, *_), row in zip(macs, spans, rows, strict=True):
        axes.annotate(row.name, (x, mean), xytext=(6, 3), textcoords="offset points", fontsize=8)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN[=NAME]")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args(arguments)
    rows: list[ShowcaseRow] = []
    for run in options.runs:
        path, _, name = run.partition("=")
        rows += showcase_rows(load_run(path), name or Path(path).name)
    print(markdown(rows), end="")
    if options.picture:
        draw(rows, options.picture)


if __name__ == "__main__":
    main()
