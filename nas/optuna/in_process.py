"""Training in a process that is the user's: afterwards its threads and its generators are as they were."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
import torch


class SingleThread:
    """A context in which torch computes with one thread, as in a search; several trials may be inside at once.

    The number of before is restored when the last of them leaves.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._before = Lock(), 0, 1

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = torch.get_num_threads()
            self._inside += 1
            torch.set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                torch.set_num_threads(self._before)


SINGLE_THREAD = SingleThread()


@contextmanager
def kept_generators() -> Iterator[None]:
    """Restore the generators of random, numpy and torch afterwards, which the caller may use for something else."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(of_python)
            np.random.set_state(of_numpy)
