"""The contract of an executor: call `check_executor` in a test with what makes it. Nothing is trained."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from nas.search.trial import Reason
from nas.search.workers.executor import Executor
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.search.workers.worker import Train
from nas.training.data import Source
from nas.training.recipe import Recipe
from nas.training.score import Score

GOOD, DEADLY, ENDLESS, HANGING = range(4)
"""Numbers of jobs, by what `train_by_number` does with them."""
MAX_SECONDS = 200.0
"""How long a worker may take to start, or to end a job; a cluster on a busy machine needs many."""


def train_by_number(job: Job) -> Iterator[Event]:
    """Yield one score, then do what the job's number says: end well, die, yield scores for ever, or hang."""
    yield _progress(job, 1)
    if job.number == DEADLY:
        os._exit(7)
    epoch = 1
    while job.number == ENDLESS:
        time.sleep(0.05)
        yield _progress(job, epoch := epoch + 1)
    if job.number == HANGING:
        time.sleep(600)
    Path(job.weights).parent.mkdir(parents=True, exist_ok=True)
    Path(job.weights).write_bytes(b"weights")
    yield Outcome(job.number)


def _progress(job: Job, epoch: int) -> Progress:
    return Progress(job.number, Score(epoch, 0.5, 1.0, 0.1, 1.0))


def check_executor(make: Callable[[Train], Executor], folder: Path) -> None:
    """Check that an executor reports deaths, timeouts, stops and successes, and waits at rungs.

    The weights of a success are where the job says, and there are no others.

    make: returns an executor whose workers call the function that it is given. folder: empty, for the weights. Raises
    AssertionError that names the broken promise.
    """
    weights = folder / "trials" / "000000" / "weights.safetensors"
    job = Job(GOOD, "x", Source("digits"), Recipe(), 0, str(weights))
    handler = signal.getsignal(signal.SIGTERM)
    with closing(make(train_by_number)) as workers:
        assert signal.getsignal(signal.SIGTERM) == handler, "the handler of SIGTERM was changed"
        reason, _ = run_job(workers, replace(job, number=DEADLY, rungs=(1,)))
        assert reason is Reason.KILLED, f"a worker that died is reported as {reason!r}"
        reason, _ = run_job(workers, replace(job, number=HANGING, timeout=1.0))
        assert reason is Reason.TIMEOUT, f"a job that takes too long is reported as {reason!r}"
        reason, scores = run_job(workers, replace(job, number=ENDLESS))
        assert reason is Reason.STOPPED, f"a job that was stopped is reported as {reason!r}"
        assert scores >= 3, "a score was lost before the job was stopped"
        workers.stop(ENDLESS)
        workers.proceed(ENDLESS)  # words about a job that has ended
        reason, scores = run_job(workers, replace(job, number=ENDLESS, rungs=(1, 3)))
        assert reason is Reason.STOPPED, f"a job that was stopped at a rung is reported as {reason!r}"
        assert scores == 3, f"stopped at epoch 3, a job trained {scores}: a worker waits at each of Job.rungs"
        reason, scores = run_job(workers, replace(job, number=ENDLESS, rungs=(1,), timeout=1.0), words=False)
        assert reason is Reason.TIMEOUT, f"a job that waits too long is reported as {reason!r}"
        assert scores <= 1, "a job went on without a word"
        assert not weights.exists(), "a job that failed has left weights"
        reason, scores = run_job(workers, replace(job, timeout=60.0))
        assert (reason, scores) == (Reason.NONE, 1), f"a job that ended well is {reason!r} with {scores} scores"
        assert weights.read_bytes() == b"weights", "the weights are not those of the worker"
        assert [path.name for path in weights.parent.iterdir()] == [weights.name], "there are files besides the weights"


def run_job(workers: Executor, job: Job, words: bool = True) -> tuple[Reason, int]:
    """Return how a job ends and how many scores came before; it goes on at rungs, and is stopped after the third.

    words: whether it is told so. Raises AssertionError.
    """
    end = time.monotonic() + MAX_SECONDS
    while not workers.idle():
        assert time.monotonic() < end, "no worker became idle"
        workers.events(0.1)
    workers.submit(job)
    scores, end = 0, time.monotonic() + MAX_SECONDS
    while time.monotonic() < end:
        for event in workers.events(0.1):
            assert event.number == job.number, f"an event of job {event.number}, which is not running"
            if isinstance(event, Outcome):
                return event.reason, scores
            scores += 1
            if words and scores == 3:
                workers.stop(job.number)
            elif words and scores in job.rungs:
                workers.proceed(job.number)
    raise AssertionError(f"job {job.number} did not end within {MAX_SECONDS:.0f} seconds")
