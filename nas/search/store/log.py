"""Logs of a search: one line per trial in log.txt, and curves for TensorBoard."""

from datetime import datetime
from pathlib import Path
from typing import Any

from nas.errors import printable
from nas.search.trial import TrialRecord


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
    """Append the trial to the run's log.txt, with the local time."""
    with (path / "log.txt").open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')}  {line(record)}\n")


class Curves:
    """Curves in RUN/tensorboard: a trial's error and losses by epoch, in a folder named by its number."""

    def __init__(self, path: Path) -> None:
        self._place, self._writers = path / "tensorboard", dict[int, Any]()

    def scored(self, record: TrialRecord) -> None:
        from tensorboardX import SummaryWriter

        score = record.scores[-1]
        if record.number not in self._writers:
            self._writers[record.number] = SummaryWriter(str(self._place / f"{record.number:06d}"))
        for name in ("error", "loss", "train_loss"):
            self._writers[record.number].add_scalar(name, getattr(score, name), score.epoch)

    def ended(self, record: TrialRecord) -> None:
        if writer := self._writers.pop(record.number, None):
            writer.close()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
