"""One pull loop and one failure policy for everything that is trained."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nas.errors import RunError, quoted
from nas.search.trial import Reason
from nas.search.workers.executor import Executor
from nas.search.workers.job import Job, Outcome, Progress
from nas.training.score import Score

MAX_ATTEMPTS = 3  # of a training that is lost, before it counts as failed
POLL_SECONDS = 0.25


class FailurePolicy:
    """What a failed training means for the run.

    A full disk ends the run: it tells nothing about the network, and the next training would fail too. A training whose
    machine was lost, or whose worker died before it began, starts again, MAX_ATTEMPTS times in all. When most trainings
    raise an exception, and `enough` have ended, the fault is the run's.
    """

    def __init__(self, path: Path, enough: int = 10, again: str = "") -> None:
        self.path, self.enough = path, enough
        self.again = again or f"nas resume {quoted(path)}"
        self._lost: Counter[int] = Counter()
        self._ended: Counter[Reason] = Counter()

    def retries(self, outcome: Outcome) -> bool:
        """Return whether to train it again. Raises RunError when there is no room on the disk."""
        if outcome.reason is Reason.DISK_FULL:
            raise RunError(
                f"no room for the weights of trial {outcome.number} in {self.path}: {outcome.detail}. Finished trials "
                f"are kept; make room and continue with: {self.again}"
            )
        self._lost[outcome.number] += outcome.reason is Reason.LOST
        return outcome.reason is Reason.LOST and self._lost[outcome.number] < MAX_ATTEMPTS

    def fault(self, outcome: Outcome) -> str:
        """Take an outcome into account; return why the run should stop, or ""."""
        self._ended[outcome.reason] += 1
        errors, ended = self._ended[Reason.ERROR], self._ended.total()
        if ended >= self.enough and 2 * errors > ended:
            return f"{errors} of {ended} trials failed with an error, the last: {outcome.detail}"
        return ""


@dataclass(frozen=True)
class TrainedJob:
    """A job that ended, with the scores of its epochs."""

    job: Job
    outcome: Outcome
    scores: tuple[Score, ...] = field(default=())

    @property
    def error(self) -> float | None:
        """Return the last validation error; None when the training failed."""
        return None if self.outcome.reason or not self.scores else self.scores[-1].error


def train_all(
    workers: Executor, jobs: Iterable[Job], policy: FailurePolicy, beat: Callable[[], object] = lambda: None
) -> Iterator[TrainedJob]:
    """Train jobs and yield each as it ends. A job is taken from `jobs` when a worker is idle.

    beat: is called several times a second. Raises RunError when the disk is full, or when most trainings fail with an
    error.
    """
    waiting = iter(jobs)
    again: list[Job] = []
    running: dict[int, Job] = {}
    scores: dict[int, list[Score]] = {}
    while True:
        while workers.idle() and (job := again.pop() if again else next(waiting, None)):
            running[job.number], scores[job.number] = job, []
            workers.submit(job)
        if not running and not again and workers.idle():
            return
        beat()
        for event in workers.events(POLL_SECONDS):
            if isinstance(event, Progress):
                scores[event.number].append(event.score)
                continue
            job = running.pop(event.number)
            if policy.retries(event):
                again.append(job)
                continue
            yield TrainedJob(job, event, tuple(scores.pop(event.number)))
            if fault := policy.fault(event):
                raise RunError(f"{fault:.300}")
