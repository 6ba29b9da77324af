"""What trains one network, in a process or an actor: a job in, progress and an outcome out. And the process loop."""

import gc
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from functools import partial
from importlib.util import find_spec
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from nas.errors import TrainingError, is_out_of_memory
from nas.files import DISK_FULL_ERRNOS
from nas.search.trial import Reason
from nas.search.workers.job import Event, Job, Outcome, Progress, event_to_json
from nas.user_code import is_outside, source_file

if TYPE_CHECKING:
    from torch import nn

    from nas.training.trainer import Trainer

SINGLE_THREAD_ENV = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0"}
"""One thread per worker, set before torch is imported: two spinning teams on one core slow each other tenfold."""
KEEP_MEMORY_ENV = {
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
    "MALLOC_TOP_PAD_": str(2**26),
}
"""glibc keeps what a step frees for the next one, where it would ask the system for each large tensor again."""
WORKER_ENV = SINGLE_THREAD_ENV | KEEP_MEMORY_ENV
STOP, PROCEED = "stop", "proceed"  # words of the driver about a job
BEGUN = b"begun"  # a worker process has read its job: what kills it from now on is the job
Train = Callable[[Job], Iterator[Event]]
Hear = Callable[[bool], str]  # whether to wait for a word: returns the word, or ""


def serve_jobs(pipe: Connection, train: Train) -> None:
    """Train the jobs that come through a pipe until it closes."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        while True:
            message = pipe.recv_bytes()
            if message.startswith(b"{"):  # a word may come when its job has ended already
                _serve(pipe, Job.from_json(message), train)
    except (EOFError, OSError):
        return


def _exit_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _serve(pipe: Connection, job: Job, train: Train) -> None:
    pipe.send_bytes(BEGUN)
    for event in obey(job, train, partial(_hear, pipe, job.number)):
        pipe.send_bytes(event_to_json(event).encode())


def word_message(word: str, number: int) -> bytes:
    """Return the driver's word about a job, as it is sent to a worker process."""
    return f"{word} {number}".encode()


def _hear(pipe: Connection, number: int, wait: bool) -> str:
    """Return the next word about a job, or "" if there is none and none is to be waited for."""
    while wait or pipe.poll():
        message = pipe.recv_bytes()
        for word in (STOP, PROCEED):
            if message == word_message(word, number):
                return word
    return ""


def obey(job: Job, train: Train, hear: Hear) -> Iterator[Event]:
    """Train a job and yield its events, until a word stops it. At a rung, nothing is trained before there is a word."""
    for event in train(job):
        yield event
        if isinstance(event, Progress) and hear(job.waits_after(event.score)) == STOP:
            yield Outcome(job.number, Reason.STOPPED)
            return


def train_job(job: Job) -> Iterator[Event]:
    """Train a job's network: yield its progress after each epoch, then its outcome, with the weights in the job's file.

    What is not pulled is not trained. An exception in training is an outcome, and never raised.
    """
    try:
        yield Outcome(job.number, (yield from _train(job)))
    except Exception as problem:  # noqa: BLE001  (whatever it is, the next network may be a better one)
        failed = Outcome(job.number, _reason(problem), f"{type(problem).__name__}: {problem}{_place(problem, job)}")
    else:
        return
    _give_memory_back()
    yield failed


def _place(problem: Exception, job: Job) -> str:
    """Return the line of a user's own trainer at which an exception was raised; "" where it is of other code."""
    file = source_file(job.trainer) if is_outside(job.trainer) else None
    lines = [each.lineno for each in extract_tb(problem.__traceback__) if file and Path(each.filename) == file]
    return f" ({file.name}, line {lines[-1]})" if file and lines else ""


def _reason(problem: Exception) -> Reason:
    if is_out_of_memory(problem):
        return Reason.OUT_OF_MEMORY
    message = str(problem).lower()
    full = getattr(problem, "errno", None) in DISK_FULL_ERRNOS or any(
        f"os error {code}" in message for code in DISK_FULL_ERRNOS
    )
    return Reason.DISK_FULL if full else Reason.ERROR


def _give_memory_back() -> None:
    """Return what a failed training reserved on a graphics card, which other workers share."""
    if torch := sys.modules.get("torch"):
        gc.collect()
        torch.cuda.empty_cache()


def _limit_memory(gigabytes: float | None) -> None:
    """Make the system refuse more memory to this process, so that a network that takes too much fails alone."""
    if gigabytes is not None and find_spec("resource"):  # Windows has none
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (int(gigabytes * 2**30), hard))


def _device(job: Job) -> str:
    """Return the device of a job: of the graphics cards this process sees, the one it shares with others."""
    import torch

    from nas.training.device import best_device

    device = best_device() if job.device == "auto" else job.device
    return device if device != "cuda" else f"cuda:{job.gpu % max(1, torch.cuda.device_count())}"


def seed_generators(seed: int) -> None:
    """Seed what a trainer may draw from, so that a trial does not depend on those before it in the process."""
    import random

    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _shapes(network: "nn.Module") -> set[tuple[str, tuple[int, ...]]]:
    return {(name, tuple(tensor.shape)) for name, tensor in network.state_dict().items()}


def start_training(job: Job) -> "tuple[nn.Module, Trainer]":
    """Return a job's network and its trainer, before the first epoch, on one thread and with seeded generators.

    Raises ExperimentError, DataError and TrainingError, and whatever a trainer of the user's own raises.
    """
    import torch

    from nas.genome.genome_json import from_json
    from nas.model.export import load_weights
    from nas.model.module import module
    from nas.training.data import load_data
    from nas.training.trainer import make_trainer
    from nas.user_code import load_shipped, trust

    torch.set_num_threads(1)
    trust(job.data.name, job.trainer)  # the driver does, or there is no job
    for name, texts in job.code.items():
        load_shipped(name, texts)
    seed_generators(job.seed)
    network = module(from_json(job.genome), training=True)
    teacher = None
    if job.teacher:
        teacher = module(from_json(job.teacher.genome), training=True)
        load_weights(teacher, Path(job.teacher.weights))
    data = load_data(job.data)
    return network, make_trainer(job.trainer, network, data, job.recipe, job.seed, _device(job), teacher)


def _train(job: Job) -> Generator[Event, None, Reason]:
    from nas.genome.genome_json import from_json
    from nas.model.export import save_weights
    from nas.model.module import module
    from nas.training.trainer import run_trainer

    _limit_memory(job.memory_gb)
    network, trainer = start_training(job)
    for score in run_trainer(trainer, job.recipe.epochs, job.metric):
        yield Progress(job.number, score)
        if score.diverged:
            return Reason.DIVERGED
    if changed := sorted(_shapes(network) ^ _shapes(module(from_json(job.genome), training=True))):
        raise TrainingError(f"the trainer changed the network, first its weights {changed[0][0]}: train it in place")
    save_weights(network, Path(job.weights))
    return Reason.NONE
