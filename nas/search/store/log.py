"""The log of a run: one line per trial in log.txt, and one per change of a plan."""

from datetime import datetime
from pathlib import Path

from nas.errors import printable
from nas.files import append
from nas.search.trial import TrialRecord

LOG = "log.txt"


def line(record: TrialRecord) -> str:
    """Return one finished trial as a line, with control characters escaped."""
    result = " ".join(f"failed: {record.reason} {record.detail}".split())[:200]
    if record.known_error is not None:
        early = f", stopped after epoch {record.scores[-1].epoch}" if record.state == "pruned" else ""
        result = f"error {record.known_error:.4f}{early}"
    costs = f"{record.cost.params:,} params, {record.cost.macs:,} MACs"
    name = record.baseline or f"trial {record.number:>4}"
    return printable(f"{name}  {result}  {costs}  {record.seconds:.1f} s", kept="")


def log(path: Path, record: TrialRecord) -> None:
    """Append the trial to the run's log, with the local time. Raises OSError."""
    log_text(path, line(record))


def log_text(path: Path, text: str) -> None:
    """Append a line to the run's log, with the local time. Raises OSError."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    append(path / LOG, f"{now}  {text}\n".encode())
