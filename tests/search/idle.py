"""A driver whose workers train nothing, as a process of its own that a test may kill: EXPERIMENT.TOML RUN [URL].

What is heavy is imported late: its workers read this file too.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.training.score import Score

if TYPE_CHECKING:
    from nas.search.experiment import Experiment
    from nas.search.workers.processes import ProcessPool
    from nas.search.workers.worker import Train


def nothing(job: Job) -> Iterator[Event]:
    """A score that depends on the genome alone, and no weights."""
    time.sleep(0.02)
    error = (len(job.genome) % 997) / 1000
    yield Progress(job.number, Score(1, error, 1.0, 0.02, 1.0))
    yield Outcome(job.number)


class InProcess:
    """An executor of one worker in the driver's own process. train: what it does with a job."""

    def __init__(self, train: "Train" = nothing) -> None:
        self._train, self._events = train, list[Event]()

    def idle(self) -> bool:
        return not self._events

    def submit(self, job: Job) -> None:
        self._events = list(self._train(job))

    def stop(self, number: int) -> None:
        self._events = [Outcome(number, Reason.STOPPED)]

    def proceed(self, number: int) -> None:
        """Nothing waits."""

    def events(self, seconds: float) -> list[Event]:
        return [self._events.pop(0)] if self._events else []

    def close(self) -> None:
        self._events = []


def idle(experiment: "Experiment") -> "ProcessPool":
    """Workers that train nothing."""
    from nas.search.workers.processes import ProcessPool

    return ProcessPool(experiment.workers, train=nothing)


def main(question: str, run: str, url: str | None = None) -> None:
    """Search to the total, telling each trial that ended on stdout."""
    from nas.search.experiment_file import read_experiment
    from nas.search.loop.search import Search
    from nas.search.store import lease
    from nas.search.store.create import create

    lease.SECTION_SECONDS = 15
    study = create(Path(run), read_experiment(Path(question), {"storage": url} if url else {}), "idle")
    for event in Search(study, idle).events():
        if event.kind == "ended":
            sys.stdout.write(f"{event.record.number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
