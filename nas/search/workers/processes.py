"""Worker processes on this machine: warm, replaced when they die, and gone when the driver goes."""

import atexit
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from nas.search.workers.worker import SINGLE_THREAD_ENV, Event, Job, Train, outcome, train_job, work


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    number: int | None = None  # of the trial it trains
    deadline: float = inf


class ProcessPool:
    """A fixed number of processes; each trains one trial at a time.

    share: of a graphics card a worker takes, at most 1; the first 1 / share workers train on the first card, and so on.
    train: what a worker does with a job.
    """

    def __init__(self, count: int, share: float = 1.0, train: Train = train_job) -> None:
        self._share, self._train = share, train
        os.environ.update(SINGLE_THREAD_ENV)  # inherited by the children, which import torch afterwards
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        atexit.register(self.close)  # an interpreter that ends asks its children with a signal that these do not hear
        for _ in range(count):
            self._workers.append(self._start())

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=work, args=(theirs, self._train), daemon=True)
        with signals_blocked():
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def idle(self) -> bool:
        """Whether a worker has nothing to do."""
        return any(worker.number is None for worker in self._workers)

    def submit(self, job: Job) -> None:
        """Hand a job to an idle worker; it has `timeout` seconds, if the job says so."""
        place, worker = next(found for found in enumerate(self._workers) if found[1].number is None)
        worker.number, worker.deadline = job["number"], time.monotonic() + job.get("timeout", inf)
        with suppress(OSError):  # a worker that died idle is noticed, and replaced, when it is listened to
            worker.pipe.send_bytes(json.dumps(job | {"card": gpu_index(place, self._share)}).encode())

    def stop(self, number: int) -> None:
        """End a trial after the epoch it is in, with the reason `stopped`; it may be over before."""
        for worker in self._workers:
            if worker.number == number:
                with suppress(OSError):
                    worker.pipe.send_bytes(json.dumps({"stop": number}).encode())

    def events(self, seconds: float) -> list[Event]:
        """What the workers said meanwhile, waiting at most `seconds` for a first word."""
        busy = [worker for worker in self._workers if worker.number is not None]
        ready = wait([worker.pipe for worker in busy], seconds)
        heard = [event for worker in busy if worker.pipe in ready for event in self._hear(worker)]
        late = [worker for worker in self._workers if worker.number is not None and time.monotonic() > worker.deadline]
        return heard + [self._replace(worker, "timeout", "took longer than the experiment allows") for worker in late]

    def _replace(self, worker: _Worker, reason: str, detail: str) -> Event:
        """A worker is lost, with the trial it had: end what is left of it and start another."""
        worker.process.kill()
        worker.process.join(5)
        worker.pipe.close()
        self._workers[self._workers.index(worker)] = self._start()
        return outcome({"number": worker.number}, reason, detail)

    def _hear(self, worker: _Worker) -> list[Event]:
        heard: list[Event] = []
        try:
            while worker.pipe.poll():
                heard.append(json.loads(worker.pipe.recv_bytes()))
                if heard[-1]["kind"] == "end":
                    worker.number = None
        except (EOFError, OSError):
            worker.process.join(5)
            detail = f"the worker process ended with exit code {worker.process.exitcode}"
            lost = self._replace(worker, "killed", detail)
            heard += [lost] if worker.number is not None else []
        return heard

    def close(self) -> None:
        """End all workers at once; what they were training is abandoned."""
        atexit.unregister(self.close)
        for worker in self._workers:
            worker.pipe.close()
            worker.process.kill()
        for worker in self._workers:
            worker.process.join(5)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """A process begun meanwhile hears neither Ctrl-C nor SIGTERM, which are the driver's to answer.

    Both often reach a whole group of processes: the running trials would be lost with their workers.
    """
    resource_tracker.ensure_running()  # where it is not yet, a process that begins it hears again afterwards
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def gpu_index(place: int, share: float) -> int:
    """The graphics card of the worker at a place, when as many are packed onto each as their share allows."""
    return place // max(1, int(1 / share + 1e-9))
