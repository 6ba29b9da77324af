"""Latency of the networks on the front, as it was predicted and as it was measured after the search."""

from nas.report.html.markup import tag
from nas.report.html.section import Section, section
from nas.report.html.table import table
from nas.report.run.view import View
from nas.search.results.front_latency import FrontLatency, load_front_latency

HEADS = ("trial", "predicted, ms", "measured, ms", "difference", "spread, ms", "repeats")


def latency_section(view: View) -> Section | None:
    """Return the table; None of a run whose front was not measured. Raises RunError for a damaged file."""
    rows = load_front_latency(view.run.path)
    if not rows:
        return None
    model = view.experiment.latency_model
    learned = f"Measured on {model.measured_on}. The model learned before the search: {model.error}." if model else ""
    caption = ("Predicted before a training, measured when the search had ended: the median of the repeats, and their "
               "interquartile range.")  # fmt: skip
    made = table(caption, HEADS, [_cells(row) for row in rows])
    return Section(section("latency", "Latency of the front", tag("p", learned), tag("div", made, class_="scroller")))


def _cells(row: FrontLatency) -> list[str]:
    difference = f"{row.measured / row.predicted - 1:+.1%}" if row.predicted else "-"
    discarded = f", {row.outliers} discarded" if row.outliers else ""
    return [str(row.number), f"{row.predicted:.3f}", f"{row.measured:.3f}", difference, f"{row.spread:.3f}",
            f"{row.repeats}{discarded}"]  # fmt: skip
