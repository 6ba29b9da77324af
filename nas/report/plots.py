"""The interactive plots as plain data for plotly. A colour is the name of a CSS variable, resolved in the page."""

from collections.abc import Sequence
from typing import Any

from nas.report.view import COUNTS, View
from nas.report.words import NAMES, title
from nas.search.study import Record

MOST_CURVES = 200
Trace = dict[str, Any]


def front(view: View) -> dict[str, Any]:
    """Error against cost: every complete trial, the front, and what each count may be drawn against."""
    members = {record.number for record in view.front}
    others = [record for record in view.complete if record.number not in members]
    line = len(view.experiment.objectives) == 2
    return {
        "traces": [_points("other trials", others, view.abscissa), _points("front", view.front, view.abscissa)],
        "abscissa": view.abscissa,
        "lined": view.abscissa if line else None,
        "axes": {name: _axis(view, name, others) for name in COUNTS},
        "log": _is_wide([record.error for record in view.complete]),
    }


def _points(name: str, records: Sequence[Record], abscissa: str) -> Trace:
    return {
        "name": name,
        "x": [getattr(record.cost, abscissa) for record in records],
        "y": [record.error for record in records],
        "customdata": [record.number for record in records],
    }


def _axis(view: View, name: str, others: Sequence[Record]) -> dict[str, Any]:
    limit = view.limits.get(name)
    return {
        "title": title(name),
        "name": NAMES[name],
        "x": [[getattr(r.cost, name) for r in others], [getattr(r.cost, name) for r in view.front]],
        "limits": [end for end in (limit.min, limit.max) if end is not None] if limit else [],
    }


def _is_wide(values: Sequence[float | None]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and min(known) > 0 and max(known) / min(known) > 30


def progress(view: View) -> dict[str, Any]:
    """Hypervolume in the order of the search, and the band of random orders."""
    found = view.progress
    assert found is not None
    curves = {name: getattr(found, name).round(6).tolist() for name in ("found", "mean", "low", "high")}
    return {"trials": found.trials.tolist(), "range": found.window, **curves}


def curves(view: View) -> dict[str, Any]:
    """Validation error after each epoch: the best network, the front, and other trials as one broken line."""
    members = {record.number for record in view.front}
    scored = [record for record in view.run.records if len(record.scores) > 1]
    others = [record for record in scored if record.number not in members][:MOST_CURVES]
    front = [record for record in view.front if len(record.scores) > 1][:MOST_CURVES]
    best = [view.best] if view.best and len(view.best.scores) > 1 else []
    return {"others": _broken(others), "front": _broken(front), "best": _broken(best)}


def _broken(records: Sequence[Record]) -> Trace:
    """Many curves as one trace, a gap after each."""
    line: Trace = {"x": [], "y": [], "text": []}
    for record in records:
        line["x"] += [score.epoch for score in record.scores] + [None]
        line["y"] += [_finite(score.error) for score in record.scores] + [None]
        line["text"] += [f"trial {record.number}"] * (len(record.scores) + 1)
    return line


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
