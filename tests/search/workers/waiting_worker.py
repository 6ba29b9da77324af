"""A driver whose worker waits at a rung for a word that never comes; it tells the worker's process. EXECUTOR"""

import os
import sys
import time
from collections.abc import Iterator

from nas.search.workers.executor import Executor
from nas.search.workers.job import Event, Job, Progress
from nas.training.data import Source
from nas.training.recipe import Recipe
from nas.training.score import Score


def tell_process(job: Job) -> Iterator[Event]:
    """One score, which holds the process in the place of memory."""
    yield Progress(job.number, Score(1, 0.5, peak_bytes=os.getpid()))


def main(name: str) -> None:
    """Wait to be killed."""
    from nas.search.workers.processes import ProcessPool
    from nas.search.workers.ray_cluster import RayCluster

    workers: Executor = (
        ProcessPool(1, train=tell_process) if name == "local" else RayCluster(1, cpus=1, gpus=0, train=tell_process)
    )
    while not workers.idle():
        workers.events(1)
    workers.submit(Job(0, "", Source("digits"), Recipe(), 0, "", rungs=(1,)))
    while not (events := workers.events(1)):
        pass
    (event,) = events
    assert isinstance(event, Progress)
    sys.stdout.write(f"{event.score.peak_bytes}\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1])
