"""Worker processes on this machine: kept warm, replaced when they die, and ended with the driver."""

import atexit
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from math import inf
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from nas.search.experiment import Experiment
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, event_from_json
from nas.search.workers.worker import (
    BEGUN,
    PROCEED,
    STOP,
    WORKER_ENV,
    Train,
    serve_jobs,
    train_job,
    word_message,
)

DRIVER_SIGNALS = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    number: int | None = None  # of the trial it trains
    begun: bool = False  # it has read that trial
    deadline: float = inf


class ProcessPool:
    """A fixed number of processes; each trains one trial at a time.

    share: of a graphics card a worker takes, at most 1; the first 1 / share workers train on the first card, and so on.
    train: what a worker does with a job.
    """

    def __init__(self, count: int, share: float = 1.0, train: Train = train_job) -> None:
        self._share, self._train = share, train
        os.environ.update(WORKER_ENV)  # inherited by the children, which import torch afterwards
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        atexit.register(self.close)  # an interpreter that ends sends its children a signal that these have blocked
        for _ in range(count):
            self._workers.append(self._start())

    @classmethod
    def for_experiment(cls, experiment: Experiment, count: int) -> "ProcessPool":
        """Return the pool that an experiment asks for."""
        return cls(count, experiment.gpus_per_trial)

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve_jobs, args=(theirs, self._train), daemon=True)
        with signals_blocked(), main_hidden(self._train.__module__ != "__main__"):
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def idle(self) -> bool:
        """Return whether a worker has nothing to do."""
        return any(worker.number is None for worker in self._workers)

    def submit(self, job: Job) -> None:
        """Give a job to an idle worker; it may take the job's timeout."""
        place, worker = next(found for found in enumerate(self._workers) if found[1].number is None)
        worker.number, worker.begun = job.number, False
        worker.deadline = time.monotonic() + (job.timeout or inf)
        with suppress(OSError):  # a worker that died idle is noticed, and replaced, when events are read
            worker.pipe.send_bytes(replace(job, gpu=gpu_index(place, self._share)).to_json().encode())

    def stop(self, number: int) -> None:
        """End a job after the epoch it is in, with Reason.STOPPED; it may have ended before."""
        self._say(STOP, number)

    def proceed(self, number: int) -> None:
        """Let a job go on that waits at a rung; it may have ended before."""
        self._say(PROCEED, number)

    def _say(self, word: str, number: int) -> None:
        for worker in self._workers:
            if worker.number == number:
                with suppress(OSError):  # a worker that died is noticed when events are read
                    worker.pipe.send_bytes(word_message(word, number))

    def events(self, seconds: float) -> list[Event]:
        """Return progress and outcomes since the last call, waiting at most `seconds` for a first one."""
        busy = [worker for worker in self._workers if worker.number is not None]
        ready = wait([worker.pipe for worker in busy], seconds)
        found = [event for worker in busy if worker.pipe in ready for event in self._read(worker)]
        late = [worker for worker in self._workers if worker.number is not None and time.monotonic() > worker.deadline]
        for worker in late:
            found += self._replace(worker, Reason.TIMEOUT, "took longer than the experiment allows")
        return found

    def _replace(self, worker: _Worker, reason: Reason, detail: str) -> list[Event]:
        """End a worker and start another; the outcome of the job it had, if it had one."""
        worker.process.kill()
        worker.process.join(5)
        worker.pipe.close()
        self._workers[self._workers.index(worker)] = self._start()
        return [] if worker.number is None else [Outcome(worker.number, reason, detail)]

    def _read(self, worker: _Worker) -> list[Event]:
        found: list[Event] = []
        try:
            while worker.pipe.poll():
                if (message := worker.pipe.recv_bytes()) == BEGUN:
                    worker.begun = True
                    continue
                found.append(event_from_json(message))
                if isinstance(found[-1], Outcome):
                    worker.number = None
        except (EOFError, OSError):
            found += self._bury(worker)
        return found

    def _bury(self, worker: _Worker) -> list[Event]:
        """Replace a worker that died; its job is lost, and no fault of the network, if it had not begun."""
        worker.process.join(5)
        detail = f"the worker process ended with exit code {worker.process.exitcode}"
        if worker.begun:
            return self._replace(worker, Reason.KILLED, detail)
        return self._replace(worker, Reason.LOST, f"{detail} before it began the trial")

    def close(self) -> None:
        """End all workers at once; what they were training is lost."""
        atexit.unregister(self.close)
        for worker in self._workers:
            worker.pipe.close()
            worker.process.kill()
        for worker in self._workers:
            worker.process.join(5)


@contextmanager
def main_hidden(hidden: bool = True) -> Iterator[None]:
    """Let a process started meanwhile not import the main script, which may be a user's that starts a search.

    multiprocessing finds the script by the attributes of its module that are empty meanwhile.
    """
    main = vars(sys.modules["__main__"])
    kept = {name: main[name] for name in main.keys() & {"__spec__", "__file__"} if hidden}
    main.update(dict.fromkeys(kept))
    try:
        yield
    finally:
        main.update(kept)


@contextmanager
def signals_blocked(numbers: Iterable[int] = DRIVER_SIGNALS) -> Iterator[None]:
    """Let a process started meanwhile block signals: Ctrl-C, SIGTERM and SIGHUP, which the driver handles.

    They often reach a whole group of processes: the running trials would be lost with their workers. Windows has no
    such mask.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        resource_tracker.ensure_running()  # unblocks two of them
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def gpu_index(place: int, share: float) -> int:
    """Return the graphics card of the worker at a place, when as many share a card as their share allows."""
    return place // max(1, int(1 / share + 1e-9))
