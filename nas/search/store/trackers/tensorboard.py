"""Curves for TensorBoard, in RUN/tensorboard."""

import socket
import struct
import time
from pathlib import Path

from nas.files import append
from nas.search.trial import TrialRecord


class TensorboardCurves:
    """Curves in RUN/tensorboard: a trial's error and losses by epoch, in a folder named by its number.

    An epoch is in the file when `scored` returns. Nothing is written by a thread, whose failure nobody would see.
    """

    def __init__(self, path: Path, name: str) -> None:
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
