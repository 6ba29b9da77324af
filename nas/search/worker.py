"""What runs in a worker process: jobs in and scores out, as lines of JSON over a pipe. No pickle crosses it."""

import json
import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0"}
"""One thread a worker, set before torch is imported: two spinning teams on one core slow each other tenfold."""


def work(pipe: Connection) -> None:
    """Serve jobs until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        while True:
            job = json.loads(pipe.recv_bytes())
            if "genome" in job:  # a word to stop may come when the trial is over already
                _serve(pipe, job)
    except (EOFError, OSError):
        return


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


class _StoppedError(Exception):
    """The driver wants no more of this trial."""


def _serve(pipe: Connection, job: dict[str, Any]) -> None:
    def say(kind: str, **facts: Any) -> None:
        pipe.send_bytes(json.dumps({"number": job["number"], "kind": kind, **facts}).encode())

    def score(facts: dict[str, Any]) -> None:
        say("score", score=facts)
        if pipe.poll():
            pipe.recv_bytes()
            raise _StoppedError

    try:
        reason = _train(job, score)
        say("end", reason=reason, detail="")
    except _StoppedError:
        say("end", reason="stopped", detail="")
    except MemoryError as problem:
        say("end", reason="oom", detail=repr(problem))
    except (EOFError, OSError):
        raise
    except Exception as problem:  # noqa: BLE001  (a fault of one network is data, not the end of the run)
        oom = "out of memory" in str(problem).lower() or "can't allocate memory" in str(problem).lower()
        say("end", reason="oom" if oom else "error", detail=f"{type(problem).__name__}: {problem}")


def _limit(gigabytes: float | None) -> None:
    """Make the system refuse more memory to this process, so that one network's hunger is its own failure."""
    import resource

    if gigabytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (int(gigabytes * 2**30), hard))


def _train(job: dict[str, Any], score: Any) -> str:
    from dataclasses import asdict

    import torch

    from nas.genome.text import from_json
    from nas.model.export import save_weights
    from nas.model.module import module
    from nas.training.data import Source, load
    from nas.training.recipe import Recipe
    from nas.training.train import train

    torch.set_num_threads(1)
    _limit(job.get("memory_gb"))
    network = module(from_json(job["genome"]))
    for result in train(network, load(Source(**job["data"])), Recipe(**job["recipe"]), job["seed"], job["device"]):
        score(asdict(result))
        if result.diverged:
            return "nan"
    save_weights(network, Path(job["weights"]))
    return ""
