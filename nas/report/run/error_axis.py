"""The range of errors that plots show: those that matter; what lies beyond is marked at the edge."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nas.report.run.view import View

LOG_FACTOR = 30  # between the lowest and the highest error: a linear axis would hide the low ones
FENCE = 1.5  # interquartile ranges above the upper quartile (Tukey 1977)
MIN_GAIN = 0.2  # share of the axis that outliers must take before they are left out
MARGIN = 0.05  # of the axis, at both ends

AxisRange = tuple[float, float]


def error_axis(views: Sequence[View]) -> dict[str, Any]:
    """Return the axis of errors for plots of one run or several: its title, whether it is logarithmic, its range.

    The range is None where it is logarithmic or there are no errors: the plot then shows all.
    """
    kept = [error for view in views for error in _kept(view)]
    others = [record.error for view in views for record in view.complete]
    others += [view.error_of(record) for view in views for record in view.baselines]
    low, high = _ends(kept, [error for error in others if error is not None])
    log = low > 0 and high / low > LOG_FACTOR
    margin = MARGIN * (high - low or high or 1)
    limits = None if log or not others else (max(0.0, low - margin), high + margin)
    return {"title": views[0].noun("error"), "log": log, "range": limits}


def _kept(view: View) -> Iterable[float]:
    """Yield the errors that are never outliers: of the front and of finalists, with their intervals."""
    yield from (record.error for record in view.front if record.error is not None)
    for finalist in view.finalists:
        yield from (finalist.low, finalist.error, finalist.high)


def _ends(kept: Sequence[float], others: Sequence[float]) -> AxisRange:
    """Return the lowest and the highest error to show."""
    known = np.array(others or [0.0])
    first, third = np.quantile(known, (0.25, 0.75))
    inside = known[known <= third + FENCE * (third - first)].tolist()
    low, high, top = min([*kept, *inside]), max([*kept, *known.tolist()]), max([*kept, *inside])
    return low, top if high - top > MIN_GAIN * (high - low) else high
