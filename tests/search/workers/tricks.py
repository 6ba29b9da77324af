"""What a worker may meet, by the trial's number: for tests of executors."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nas.search.workers.worker import outcome

GOOD, DEADLY, ENDLESS, HANGING = range(4)


def score(job: dict[str, Any], epoch: int) -> dict[str, Any]:
    facts = {"epoch": epoch, "error": 0.5, "loss": 1.0, "train_loss": 1.0, "seconds": 0.1}
    return {"number": job["number"], "kind": "score", "score": facts}


def tricks(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One score, then what the number says."""
    yield score(job, 1)
    if job["number"] == DEADLY:
        os._exit(7)
    epoch = 1
    while job["number"] == ENDLESS:
        time.sleep(0.05)
        yield score(job, epoch := epoch + 1)
    if job["number"] == HANGING:
        time.sleep(600)
    Path(job["weights"]).parent.mkdir(parents=True, exist_ok=True)
    Path(job["weights"]).write_bytes(b"weights")
    yield outcome(job, "")
