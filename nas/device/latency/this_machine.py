"""Latency on the processor of this machine: one image, one thread, in onnxruntime or torch.

What is timed is the processor time of the thread, so that a run that waits while other processes have the processor
counts as one that does not. Of 400 runs of 10 networks of the space `mixed`, 187 had no context switch: by the clock
they took a median of 0.4 % longer in onnxruntime (153 runs, at most 4.8 %) and of 0.3 % in torch (34, at most 0.7 %).
What other processes do to the caches remains: `repeatability` tells how much that is.
"""

import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from time import thread_time_ns

import torch

from nas.device.latency.measurement import Latency
from nas.device.latency.runners import RUNNERS, RunOnce, best_runtime
from nas.device.latency.settings import LatencySettings
from nas.errors import LatencyError
from nas.genome.cost import cost
from nas.genome.graph import Graph

TIMED = 3  # runs of a turn, after one that is not timed and brings the weights back into the cache
MAX_WEIGHTS = 2**28  # of the networks that take turns: 1 GiB, which is in memory at the same time


class ThisMachine:
    """The processor of this machine. Networks take turns, so that a slow moment of the machine is shared by all."""

    def __init__(self, settings: LatencySettings) -> None:
        self.runtime = best_runtime() if settings.runtime == "auto" else settings.runtime
        self.turns = max(1, settings.repeats // TIMED)
        for package in (self.runtime, "onnx") if self.runtime == "onnxruntime" else ():
            _check_installed(package)

    def description(self) -> str:
        """Return the processor and the runtime."""
        return f"{_processor()}, one thread, {self.runtime} {version(self.runtime)}"

    def measure(self, *graphs: Graph) -> list[Latency]:
        """Return the latency of each network, in order. Raises LatencyError where the runtime cannot load one."""
        found: list[Latency] = []
        with _one_thread():
            for group in _groups(graphs):
                runs = [self._runner(graph) for graph in group]
                found += [Latency.of_repeats(times) for times in _take_turns(runs, self.turns)]
        return found

    def _runner(self, graph: Graph) -> RunOnce:
        try:
            run = RUNNERS[self.runtime](graph)
            run()
        except Exception as problem:  # runtimes have errors of their own
            raise LatencyError(f"{self.runtime} cannot run this network: {problem!s:.300}") from problem
        return run


def _groups(graphs: tuple[Graph, ...]) -> Iterator[list[Graph]]:
    """Yield the networks in order, as many at a time as their weights allow."""
    group: list[Graph] = []
    total = 0
    for graph in graphs:
        weights = cost(graph).params
        if group and total + weights > MAX_WEIGHTS:
            yield group
            group, total = [], 0
        group.append(graph)
        total += weights
    if group:
        yield group


def _take_turns(runs: list[RunOnce], turns: int) -> list[list[float]]:
    """Return the milliseconds of processor time of every timed run, by network."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(turns):
        for run, kept in zip(runs, times, strict=True):
            run()
            for _ in range(TIMED):
                start = thread_time_ns()
                run()
                kept.append((thread_time_ns() - start) / 1e6)
    return times


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check_installed(package: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise LatencyError(f'runtime "onnxruntime" needs {package}: pip install "nas-convnets[onnx]"')


def _processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
