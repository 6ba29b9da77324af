"""Changes of the plan of a study: written into the run's log when a run is resumed, and read back for the page."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from nas.errors import printable
from nas.principles.study_file import FILE, PrincipleStudy, load_study
from nas.search.store.log import LOG, log_text

MARK = "plan changed"
MAX_BYTES = 10_000_000


def record_changes(path: Path, study: PrincipleStudy, trainings: int) -> None:
    """Append to the log what differs from the plan of the run, after so many trainings. Raises OSError."""
    if not (path / FILE).is_file():
        return
    for change in plan_changes(load_study(path), study):
        log_text(path, printable(f"{MARK} after {trainings} trainings: {change}", kept=""))


def plan_changes(old: PrincipleStudy, new: PrincipleStudy) -> list[str]:
    """Return each setting of the design that differs, with its old and its new value."""
    before, after = asdict(old.design), asdict(new.design)
    return [f"{name} from {_short(before[name])} to {_short(after[name])}" for name in before
            if before[name] != after[name]]  # fmt: skip


def _short(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def recorded_changes(path: Path) -> list[str]:
    """Return the changes of the plan that the log of a run has, in order."""
    try:
        with (path / LOG).open(encoding="utf-8", errors="replace") as lines:
            return [line.strip() for line in lines.readlines(MAX_BYTES) if MARK in line]
    except FileNotFoundError:
        return []
