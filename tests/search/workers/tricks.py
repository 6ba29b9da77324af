"""What a worker may meet, by the trial's number: for tests of executors."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.training.score import Score

GOOD, DEADLY, ENDLESS, HANGING = range(4)


def score(job: Job, epoch: int) -> Progress:
    return Progress(job.number, Score(epoch, 0.5, 1.0, 0.1, 1.0))


def tricks(job: Job) -> Iterator[Event]:
    """One score, then what the number says."""
    yield score(job, 1)
    if job.number == DEADLY:
        os._exit(7)
    epoch = 1
    while job.number == ENDLESS:
        time.sleep(0.05)
        yield score(job, epoch := epoch + 1)
    if job.number == HANGING:
        time.sleep(600)
    Path(job.weights).parent.mkdir(parents=True, exist_ok=True)
    Path(job.weights).write_bytes(b"weights")
    yield Outcome(job.number)
