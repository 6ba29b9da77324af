"""Seconds to run trials that train nothing: what an executor itself takes, ours with all its records.

    python -m benchmarks.executors [--trials 200] [--repeats 3] [--only "ours, local"]
    python -m benchmarks.executors --trials 16 --only "training, local" "training, on Ray"

Ray Tune runs the same function on as many workers, without a searcher; its own start is not counted, and no more is
Ray's. Ours proposes networks inside a budget, records each in its study and keeps its log. The second form trains the
quickstart's networks for three epochs, from the moment that both workers have trained one.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.search.workers.worker import train_job
from nas.training.score import Score

if TYPE_CHECKING:
    from nas.search.experiment import Experiment
    from nas.search.workers.executor import Executor

WORKERS = 2


def nothing(job: Job) -> Iterator[Event]:
    """A score that depends on the genome alone."""
    error = (len(job.genome) % 997) / 1000
    yield Progress(job.number, Score(1, error, 1.0, 0.0, 1.0))
    yield Outcome(job.number)


def local(_: "Experiment") -> "Executor":
    """Processes of ours."""
    from nas.search.workers.processes import ProcessPool

    return ProcessPool(WORKERS, train=nothing)


def cluster(_: "Experiment") -> "Executor":
    """Ray's actors."""
    from nas.search.workers.ray_cluster import RayCluster

    return RayCluster(WORKERS, cpus=1, gpus=0, train=nothing)


def ours(workers: "Callable[[Experiment], Executor]", trials: int) -> float:
    """A search, from the first trial begun to the last recorded."""
    from nas.search.experiment_file import load_experiment
    from nas.search.loop.search import Search
    from nas.search.store.create import create

    question = load_experiment("quickstart", {"sampler": "random", "trials": trials})
    with tempfile.TemporaryDirectory() as folder:
        study = create(Path(folder) / "run", question, "benchmark")
        begun, ended = 0.0, 0
        for event in Search(study, workers).events():
            begun = begun or time.perf_counter()
            ended += event.kind == "ended"
        assert ended == trials
        return time.perf_counter() - begun


def alone(job: Job) -> Iterator[Event]:
    """A training in a session of its own, as Ray's are: the kernel shares a busy machine out by sessions."""
    with suppress(PermissionError):
        os.setsid()
    yield from train_job(job)


def local_training(_: "Experiment") -> "Executor":
    """Processes of ours that train."""
    from nas.search.workers.processes import ProcessPool

    return ProcessPool(WORKERS, train=alone)


def ray_training(_: "Experiment") -> "Executor":
    """Ray's actors that train."""
    from nas.search.workers.ray_cluster import RayCluster

    return RayCluster(WORKERS, cpus=1, gpus=0, train=alone)


def training(workers: "Callable[[Experiment], Executor]", trials: int) -> float:
    """A search that trains, after the start."""
    from nas.search.experiment_file import load_experiment
    from nas.search.loop.search import Search
    from nas.search.store.create import create

    changes = {"sampler": "random", "trials": trials, "recipe.epochs": 3}
    with tempfile.TemporaryDirectory() as folder:
        study = create(
            Path(folder) / "run",
            load_experiment("quickstart", changes),
            "benchmark",
        )
        ends = [time.perf_counter() for event in Search(study, workers).events() if event.kind == "ended"]
        return ends[-1] - ends[WORKERS - 1]


def tune(trials: int, reuse: bool) -> float:
    """Ray Tune's own loop over as many trials."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0", RAY_AIR_NEW_OUTPUT="0")
    import ray
    import ray.tune

    def train(config: dict[str, Any]) -> None:
        ray.tune.report({"error": config["trial"] % 997 / 1000})

    ray.init("local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level=40)
    try:
        with tempfile.TemporaryDirectory() as folder:
            tuner = ray.tune.Tuner(
                train, param_space={"trial": ray.tune.grid_search(list(range(trials)))},
                tune_config=ray.tune.TuneConfig(reuse_actors=reuse),
                run_config=ray.tune.RunConfig(storage_path=folder, verbose=0),
            )  # fmt: skip
            begun = time.perf_counter()
            results = tuner.fit()
            seconds = time.perf_counter() - begun
        assert len(results) == trials
        assert not results.errors
        return seconds
    finally:
        ray.shutdown()


RUNS: dict[str, Callable[[int], float]] = {
    "ours, local": lambda trials: ours(local, trials),
    "ours, on Ray": lambda trials: ours(cluster, trials),
    "Ray Tune, reuse_actors": lambda trials: tune(trials, reuse=True),
    "Ray Tune, default": lambda trials: tune(trials, reuse=False),
}
TRAINING: dict[str, Callable[[int], float]] = {
    "training, local": lambda trials: training(local_training, trials),
    "training, on Ray": lambda trials: training(ray_training, trials),
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=RUNS | TRAINING, default=list(RUNS))
    options = parser.parse_args()
    print(f"| {options.trials} trials, {WORKERS} workers | n | s, median | range | ms a trial | over the first |")
    print("|---|---|---|---|---|---|", flush=True)
    first = 0.0
    turns = [{name: (RUNS | TRAINING)[name](options.trials) for name in options.only} for _ in range(options.repeats)]
    for name in options.only:
        times = [turn[name] for turn in turns]
        middle = median(times)
        first = first or middle
        spread, each = f"{min(times):.1f} to {max(times):.1f}", f"{middle / options.trials * 1e3:.0f}"
        print(f"| {name} | {len(times)} | {middle:.1f} | {spread} | {each} | {middle / first:.1f} |", flush=True)


if __name__ == "__main__":
    main()
