"""What trains one network, whoever asks: a job in, its scores and its end out. And the process that serves jobs.

Jobs and events are JSON; no pickle of ours crosses a pipe.
"""

import errno
import json
import os
import threading
from collections.abc import Callable, Generator, Iterator
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

SINGLE_THREAD_ENV = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0"}
"""One thread a worker, set before torch is imported: two spinning teams on one core slow each other tenfold."""
DISK_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
Job = dict[str, Any]
Event = dict[str, Any]
Train = Callable[[Job], Iterator[Event]]


def work(pipe: Connection, train: Train) -> None:
    """Serve jobs until the pipe closes."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        while True:
            job = json.loads(pipe.recv_bytes())
            if "genome" in job:  # a word to stop may come when the trial is over already
                _serve(pipe, job, train)
    except (EOFError, OSError):
        return


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _serve(pipe: Connection, job: Job, train: Train) -> None:
    for event in train(job):
        pipe.send_bytes(json.dumps(event).encode())
        if event["kind"] == "score" and pipe.poll():
            pipe.recv_bytes()
            pipe.send_bytes(json.dumps(outcome(job, "stopped")).encode())
            return


def outcome(job: Job, reason: str, detail: str = "") -> Event:
    """How a job ended; no reason is a good one."""
    return {"number": job["number"], "kind": "end", "reason": reason, "detail": detail}


def train_job(job: Job) -> Iterator[Event]:
    """Train a job's network: a score an epoch, then its end, with the weights in the job's file.

    What is not pulled is not trained. A fault of the network is data, and never raised.
    """
    try:
        yield outcome(job, (yield from _train(job)))
    except Exception as problem:  # noqa: BLE001  (whatever it is, the next network may be a better one)
        yield outcome(job, _reason(problem), f"{type(problem).__name__}: {problem}")


def _reason(problem: Exception) -> str:
    said = str(problem).lower()
    if isinstance(problem, MemoryError) or "out of memory" in said or "can't allocate memory" in said:
        return "oom"
    full = getattr(problem, "errno", None) in DISK_FULL_ERRNOS or any(
        f"os error {code}" in said for code in DISK_FULL_ERRNOS
    )
    return "disk" if full else "error"


def _limit(gigabytes: float | None) -> None:
    """Make the system refuse more memory to this process, so that one network's hunger is its own failure."""
    import resource

    if gigabytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (int(gigabytes * 2**30), hard))


def _device(job: Job) -> str:
    """The card a worker shares with others, of those this process sees."""
    import torch

    if job["device"] == "cpu":
        return "cpu"
    return f"cuda:{job.get('card', 0) % max(1, torch.cuda.device_count())}"


def _train(job: Job) -> Generator[Event, None, str]:
    from dataclasses import asdict

    import torch

    from nas.genome.genome_json import from_json
    from nas.model.export import save_weights
    from nas.model.module import module
    from nas.training.data import Source, load_data
    from nas.training.recipe import Recipe
    from nas.training.train import train

    torch.set_num_threads(1)
    _limit(job.get("memory_gb"))
    network, recipe = module(from_json(job["genome"])), Recipe(**job["recipe"])
    for score in train(network, load_data(Source(**job["data"])), recipe, job["seed"], _device(job)):
        yield {"number": job["number"], "kind": "score", "score": asdict(score)}
        if score.diverged:
            return "nan"
    save_weights(network, Path(job["weights"]))
    return ""
