"""The interactive plots as plain data for plotly. A colour is the name of a CSS variable, resolved in the page."""

from collections.abc import Sequence
from typing import Any

from nas.report.run.view import COUNTS, View
from nas.report.text import NAMES, clip, title
from nas.search.trial import TrialRecord

MAX_CURVES = 200
Trace = dict[str, Any]


def front(view: View) -> dict[str, Any]:
    """Error against cost: trials, front, baselines and finalists, and what each count may be drawn against."""
    members = {record.number for record in view.front}
    others = [record for record in view.complete if record.number not in members]
    line = len(view.experiment.objectives) == 2
    numbers = {record.number: record for record in view.complete}
    again = [numbers[finalist.number] for finalist in view.finalists]
    parts = {"other trials": others, "front": view.front, "baselines": view.baselines, "finalists": again}
    return {
        "traces": [_points(name, records) for name, records in parts.items()],
        "spread": _spread(view),
        "abscissa": view.abscissa,
        "lined": view.abscissa if line else None,
        "axes": {name: _axis(view, name, list(parts.values())) for name in COUNTS},
        "log": is_wide([record.error for record in (*view.complete, *view.baselines)]),
    }


def _spread(view: View) -> Trace:
    """Mean error of each finalist and its 95 % interval as distances up and down."""
    rows = [(f.error, f.high - f.error, f.error - f.low) for f in view.finalists]
    return {"y": [row[0] for row in rows], "up": [row[1] for row in rows], "down": [row[2] for row in rows]}


def _points(name: str, records: Sequence[TrialRecord]) -> Trace:
    return {
        "name": name,
        "y": [record.error for record in records],
        "customdata": [record.number for record in records],
        "text": [clip(record.baseline, 60) or f"trial {record.number}" for record in records],
    }


def _axis(view: View, name: str, parts: Sequence[Sequence[TrialRecord]]) -> dict[str, Any]:
    limit = view.limits.get(name)
    return {
        "title": title(name),
        "name": NAMES[name],
        "x": [[getattr(record.cost, name) for record in records] for records in parts],
        "limits": [end for end in (limit.min, limit.max) if end is not None] if limit else [],
    }


def is_wide(values: Sequence[float | None]) -> bool:
    """Whether a logarithmic axis shows them better."""
    known = [value for value in values if value is not None]
    return bool(known) and min(known) > 0 and max(known) / min(known) > 30


def progress(view: View) -> dict[str, Any]:
    """Hypervolume in the order of the search, and the band of random orders."""
    found = view.progress
    assert found is not None
    curves = {name: getattr(found, name).round(6).tolist() for name in ("found", "mean", "low", "high")}
    return {
        "trials": found.trials.tolist(),
        "seconds": found.seconds.round(1).tolist(),
        "range": found.window,
        **curves,
    }


def curves(view: View) -> dict[str, Any]:
    """Validation error after each epoch: the best network, the front, other trials as one broken line, and where
    stopped ones ended."""
    members = {record.number for record in view.front}
    scored = [record for record in view.run.records if len(record.scores) > 1]
    others = [record for record in scored if record.number not in members][:MAX_CURVES]
    front = [record for record in view.front if len(record.scores) > 1][:MAX_CURVES]
    best = [view.best] if view.best and len(view.best.scores) > 1 else []
    stopped = [record for record in view.run.records if record.state == "pruned" and record.scores][:MAX_CURVES]
    ends: Trace = {
        "x": [record.scores[-1].epoch for record in stopped],
        "y": [_finite(record.scores[-1].error) for record in stopped],
        "text": [f"trial {record.number}" for record in stopped],
    }
    return {"others": _broken(others), "front": _broken(front), "best": _broken(best), "stopped": ends}


def _broken(records: Sequence[TrialRecord]) -> Trace:
    """Many curves as one trace, a gap after each."""
    line: Trace = {"x": [], "y": [], "text": []}
    for record in records:
        line["x"] += [score.epoch for score in record.scores] + [None]
        line["y"] += [_finite(score.error) for score in record.scores] + [None]
        line["text"] += [f"trial {record.number}"] * (len(record.scores) + 1)
    return line


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
