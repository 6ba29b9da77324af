"""Learning curves of all trials."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas.report.html.section import Section, plot, section
from nas.report.run.error_axis import error_axis
from nas.report.run.view import View
from nas.search.trial import TrialRecord

MAX_CURVES = 200
Trace = dict[str, Any]


def curves_section(view: View) -> Section | None:
    """Return validation error after each epoch; None while no complete trial has more than one."""
    if not any(len(record.scores) > 1 for record in view.complete):
        return None
    title = view.noun("error").capitalize()
    caption = (f"{title} after each epoch of the search. Bold: the best network; blue: the front; gray: other trials; "
               "cross: stopped early.")  # fmt: skip
    html = section("curves", "Learning curves", plot("curves", f"{title} after each epoch", caption))
    return Section(html, {"curves": _curves_data(view)}, Path(__file__).with_suffix(".js"))


def _curves_data(view: View) -> dict[str, Any]:
    """Return the best network, the front and other trials as one broken line each, and the last scores of stopped."""
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
    return {
        "others": _broken(others),
        "front": _broken(front),
        "best": _broken(best),
        "stopped": ends,
        "error": error_axis([view]),
    }


def _broken(records: Sequence[TrialRecord]) -> Trace:
    """Return many curves as one trace, with a gap after each."""
    line: Trace = {"x": [], "y": [], "text": []}
    for record in records:
        line["x"] += [score.epoch for score in record.scores] + [None]
        line["y"] += [_finite(score.error) for score in record.scores] + [None]
        line["text"] += [f"trial {record.number}"] * (len(record.scores) + 1)
    return line


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
