"""Logs of a search: one line per trial in log.txt, and curves for TensorBoard."""

import socket
import struct
import time
from datetime import datetime
from pathlib import Path

from nas.errors import printable
from nas.files import append
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
    """Append the trial to the run's log.txt, with the local time. Raises OSError."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    append(path / "log.txt", f"{now}  {line(record)}\n".encode())


class Curves:
    """Curves in RUN/tensorboard: a trial's error and losses by epoch, in a folder named by its number.

    An epoch is in the file when `scored` returns. Nothing is written by a thread, whose failure nobody would see.
    """

    def __init__(self, path: Path) -> None:
        self._place, self._files = path / "tensorboard", dict[int, Path]()

    def scored(self, record: TrialRecord) -> None:
        """Add the last epoch of a trial, whole or not at all. Raises OSError."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        now, score = time.time(), record.scores[-1]
        name = f"events.out.tfevents.{int(now)}.{socket.gethostname()}"
        file = self._files.setdefault(record.number, self._place / f"{record.number:06d}" / name)
        events = [] if file.exists() else [Event(wall_time=now, file_version="brain.Event:2")]
        for curve in ("error", "loss", "train_loss"):
            summary = scalar(curve, getattr(score, curve))
            events.append(Event(wall_time=now, step=score.epoch, summary=summary))
        append(file, b"".join(_framed(event.SerializeToString()) for event in events))

    def ended(self, record: TrialRecord) -> None:
        """Forget a trial, which gets another file if it is trained again."""
        self._files.pop(record.number, None)


def _framed(event: bytes) -> bytes:
    """Return a record of TensorFlow's format: length, its checksum, content, its checksum."""
    from tensorboardX.record_writer import masked_crc32c

    length = struct.pack("<Q", len(event))
    return b"".join([length, struct.pack("<I", masked_crc32c(length)), event, struct.pack("<I", masked_crc32c(event))])
