"""Workers on a Ray cluster: an actor each, wherever Ray finds room.

Ray only places and restarts actors: the driver decides what to train and when to stop. Nothing
Ray writes is read again. Weights come back with the last event, so nodes need not share a folder.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, cast

from nas.errors import RunError
from nas.files import atomic_write
from nas.search.experiment import Experiment
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, event_from_json, event_to_json
from nas.search.workers.ray_connection import join_ray, ray
from nas.search.workers.worker import PROCEED, STOP, WORKER_ENV, Train, obey, train_job

MAX_WAIT_SECONDS = 300.0  # seconds without any worker after which the cluster counts as full


class _Trainer:
    """The Ray actor: what a worker process is to ProcessPool."""

    def __init__(self, train: Train) -> None:
        self._train, self._words = train, SimpleQueue[tuple[int, str]]()

    def node(self) -> str:
        """Return its node; an answer means that it has started."""
        return str(ray.get_runtime_context().get_node_id())

    def say(self, run: int, word: str) -> None:
        """Receive a word of the driver about a run, which may be over, or may not have begun."""
        self._words.put((run, word))

    def _hear(self, run: int, wait: bool) -> str:
        while wait or not self._words.empty():
            about, word = self._words.get()
            if about == run:
                return word
        return ""

    def train(self, text: str, run: int) -> Iterator[tuple[str, bytes]]:
        """Yield events as JSON, the last with the weights."""
        job = Job.from_json(text)
        with TemporaryDirectory() as folder:
            weights = Path(folder) / "weights.safetensors"
            for event in obey(replace(job, weights=str(weights)), self._train, partial(self._hear, run)):
                yield event_to_json(event), weights.read_bytes() if weights.is_file() else b""


@dataclass
class _Worker:
    actor: Any
    place: Any  # a future of its node's name: asked at its start, before each job, and after a failure
    node: str = ""
    job: Job | None = None
    run: int = 0  # of the jobs submitted: a job may be submitted again under its number
    stream: Any = None
    deadline: float = inf
    failure: str = ""

    @property
    def waiting(self) -> Any:
        """Return the future to wait for; None when there is none."""
        return self.stream if self.place is None else self.place


class RayCluster:
    """A fixed number of actors, as an `Executor`.

    The cluster is the one that RAY_ADDRESS names, never a file: that cluster may run code here. Without it, Ray is
    started on this machine and ends with this process. cpus, gpus: what a worker takes; fractions of a card are shared.
    Raises RunError when the cluster cannot be reached.
    """

    def __init__(self, count: int, cpus: float, gpus: float, train: Train = train_job) -> None:
        join_ray(os.environ.get("RAY_ADDRESS"), count * cpus)
        self._train, remote = train, cast("Any", ray.remote)
        resources = {"num_cpus": cpus, "num_gpus": gpus, "max_concurrency": 2}  # the second thread receives words
        self._kind = remote(**resources, runtime_env={"env_vars": WORKER_ENV})(_Trainer)
        self._asked = f"{cpus:g} CPUs and {gpus:g} GPUs"
        self._failed_starts = self._runs = 0
        self._seen = time.monotonic()  # when a worker was last running
        self._workers = [self._start() for _ in range(count)]

    @classmethod
    def for_experiment(cls, experiment: Experiment, count: int) -> "RayCluster":
        """Return the actors that an experiment asks for. Raises RunError."""
        gpus = experiment.gpus_per_trial if experiment.device == "cuda" else 0.0
        return cls(count, experiment.cpus_per_trial, gpus)

    def _start(self) -> _Worker:
        actor = self._kind.remote(self._train)
        return _Worker(actor, actor.node.remote())

    def idle(self) -> bool:
        """Return whether a worker has started and has nothing to do."""
        return any(worker.node and worker.job is None for worker in self._workers)

    def submit(self, job: Job) -> None:
        """Give a job to an idle worker; it may take the job's timeout."""
        worker = next(worker for worker in self._workers if worker.node and worker.job is None)
        self._runs += 1
        worker.job, worker.run, worker.deadline = job, self._runs, time.monotonic() + (job.timeout or inf)
        worker.place = worker.actor.node.remote()  # it begins when it has answered

    def stop(self, number: int) -> None:
        """End a job after the epoch it is in, with Reason.STOPPED; it may have ended before."""
        self._say(STOP, number)

    def proceed(self, number: int) -> None:
        """Let a job go on that waits at a rung; it may have ended before."""
        self._say(PROCEED, number)

    def _say(self, word: str, number: int) -> None:
        for worker in self._workers:
            if worker.job and worker.job.number == number:  # said again while the node is out of reach
                worker.actor.say.options(max_task_retries=-1).remote(worker.run, word)

    def events(self, seconds: float) -> list[Event]:
        """Return progress and outcomes since the last call, waiting at most `seconds` for a first one."""
        waiting = {worker.waiting: worker for worker in self._workers if worker.waiting is not None}
        ready, _ = ray.wait(list(waiting), timeout=seconds) if waiting else ([], [])
        if ready:
            ready, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=0)
        found = [event for one in ready for event in self._handle_event(waiting[one])]
        late = [worker for worker in self._workers if time.monotonic() > worker.deadline]
        found += [self._replace(worker, Reason.TIMEOUT, "took longer than the experiment allows") for worker in late]
        self._check_room()
        return found

    def _handle_event(self, worker: _Worker) -> list[Event]:
        """Handle one resolved future of a worker: where it is, or an event."""
        if worker.place is not None:
            return self._placed(worker)
        try:
            text, weights = ray.get(next(worker.stream))
        except (ray.exceptions.RayError, StopIteration) as problem:
            worker.failure, worker.place, worker.deadline = str(problem), worker.actor.node.remote(), inf
            return []
        event = event_from_json(text)
        if isinstance(event, Outcome) and worker.job:
            event = _receive(event, worker.job, weights)
            worker.job, worker.stream, worker.deadline = None, None, inf
        return [event]

    def _placed(self, worker: _Worker) -> list[Event]:
        """Handle the start of a worker, let it begin its job, or find out how one failed.

        If a worker died in its job and the node is alive, the trial failed (killed); if it died before, or the node is
        gone, the trial is to be retried (lost).
        """
        try:
            node, fault = str(ray.get(worker.place)), ""
        except ray.exceptions.RayError as problem:
            node, fault = worker.node, str(problem)
        worker.node, worker.place = node, None
        if worker.failure:
            return [self._replace(worker, Reason.KILLED if fault and _alive(node) else Reason.LOST, worker.failure)]
        if worker.job and fault:
            return [self._replace(worker, Reason.LOST, f"the worker died before it began the trial: {fault}")]
        if worker.job:
            worker.stream = worker.actor.train.options(num_returns="streaming").remote(worker.job.to_json(), worker.run)
        elif fault:
            self._check_starts(fault)
            self._workers[self._workers.index(worker)] = self._start()
        return []

    def _check_starts(self, fault: str) -> None:
        """Raise RunError when workers repeatedly fail to start: the fault is a common one."""
        self._failed_starts += 1
        if self._failed_starts > 2 * len(self._workers):
            raise RunError(
                f"workers cannot start on the Ray cluster: {' '.join(fault.split())[-300:]}. Every node needs this "
                "version of nas and of Python"
            )

    def _replace(self, worker: _Worker, reason: Reason, detail: str) -> Event:
        """Replace a worker and return the outcome of the job it had."""
        assert worker.job is not None
        with suppress(ray.exceptions.RayError):
            ray.kill(worker.actor)
        self._workers[self._workers.index(worker)] = self._start()
        return Outcome(worker.job.number, reason, detail)

    def _check_room(self) -> None:
        if any(worker.node for worker in self._workers):
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > MAX_WAIT_SECONDS:
            raise RunError(
                f"no node of the Ray cluster had room for a worker ({self._asked}) for {MAX_WAIT_SECONDS:.0f} s; it "
                f"has {_room()}. Add nodes, or lower cpus_per_trial or gpus_per_trial"
            )

    def close(self) -> None:
        """End all workers at once; what they were training is lost. A cluster started here ends with them."""
        for worker in self._workers:
            with suppress(ray.exceptions.RayError):
                ray.kill(worker.actor)
        ray.shutdown()


def _alive(node: str) -> bool:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return any(each["NodeID"] == node and each["Alive"] for each in nodes)


def _room() -> str:
    held: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return f"{held.get('CPU', 0):g} CPUs and {held.get('GPU', 0):g} GPUs in all"


def _receive(event: Outcome, job: Job, weights: bytes) -> Outcome:
    """Write weights where the job wants them, whole or not at all."""
    try:
        if weights:
            atomic_write(Path(job.weights), weights)
    except OSError as problem:
        return Outcome(job.number, Reason.DISK_FULL, str(problem))
    return event
