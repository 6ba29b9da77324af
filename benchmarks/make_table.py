"""A table of real trainings: every network of a small space, so that samplers are compared over hundreds of runs.

    python -m benchmarks.make_table widths --data-dir FOLDER --out FILE.parquet [--workers 1] [--seconds 3600]

FOLDER holds CIFAR-10's files. Each network is trained from two seeds as a search trains it, for 8 epochs on 10,000
images of 16 x 16 pixels. It is validated on 5,000 others after each epoch, and tested on the test images at the end.
All networks are trained from seed 0 first, in a shuffled order, so that a part of the table is a fair sample.

A training takes some 20 seconds of one core. When it ends it is recorded in the file --state; the same command
continues after a kill, and trains nothing twice. FILE.parquet and its card FILE.md are written when all is trained, or
what began before --seconds is: 0 only writes what there is.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import closing
from itertools import takewhile
from pathlib import Path

import torch

from benchmarks.cifar16 import Cifar16
from benchmarks.table_files import write_table
from benchmarks.table_plan import TablePlan
from benchmarks.training_store import Training, TrainingStore
from nas.errors import NasError
from nas.genome import fingerprint
from nas.genome.genome_json import to_json
from nas.model.export import load_weights
from nas.model.module import module
from nas.search.propose.candidate import Candidate
from nas.search.trial import Reason
from nas.search.workers.executor import Executor
from nas.search.workers.job import Job
from nas.search.workers.processes import ProcessPool
from nas.search.workers.train_all import FailurePolicy, TrainedJob, train_all
from nas.training.batches import Batches
from nas.training.data import Source
from nas.training.evaluation import evaluate
from nas.user_code import trust

SPACES = ("widths", "stages")


def train_missing(
    plan: TablePlan, store: TrainingStore, workers: Executor, seconds: float = float("inf"), again: str = ""
) -> Generator[Training]:
    """Train what the store lacks, record each training and yield it; none begins after so many seconds.

    again: the command that continues. Raises RunError when most trainings fail, or when the disk is full.
    """
    end, done = time.monotonic() + seconds, store.load()
    missing = [each for each in plan.pairs if (fingerprint(each[0].graph), each[1]) not in done]
    with tempfile.TemporaryDirectory() as folder:
        jobs = [
            Job(number, to_json(network.graph), plan.source, plan.recipe, seed, f"{folder}/{number}.safetensors")
            for number, (network, seed) in enumerate(missing)
        ]
        in_time = takewhile(lambda _: time.monotonic() < end, jobs)
        for trained in train_all(workers, in_time, FailurePolicy(store.path, again=again)):
            network, seed = missing[trained.job.number]
            if trained.outcome.reason not in (Reason.NONE, Reason.DIVERGED):
                print(f"failed, left for the next time: {trained.outcome.reason} {trained.outcome.detail}")
                continue
            errors = tuple([score.error for score in trained.scores])
            tested = None if trained.outcome.reason else test_error(network, trained, plan.test)
            took = trained.scores[-1].seconds
            training = Training(fingerprint(network.graph), seed, errors, tested, took, torch.__version__)
            store.add(training)
            yield training


def test_error(network: Candidate, trained: TrainedJob, test: Batches) -> float:
    """Return the share of the test images that a trained network misclassifies, and remove its weights."""
    weights, net = Path(trained.job.weights), module(network.graph, training=True)
    load_weights(net, weights)
    weights.unlink()
    return evaluate(net, test).error


def main() -> int:
    """Train, write the table, and print how far it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", choices=SPACES)
    parser.add_argument("--data-dir", required=True, help="folder of CIFAR-10's files")
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file")
    parser.add_argument("--state", type=Path, help="SQLite file of finished trainings; runs/tables/SPACE.db")
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no training begins later")
    options = parser.parse_args()
    torch.set_num_threads(1)
    trust(Cifar16.name)
    plan = TablePlan(options.space, Source(Cifar16.name, options.data_dir, train_images=10_000, validation=0.1))
    command = f"python -m benchmarks.make_table {plan.space} --data-dir FOLDER --out {options.out.name}"
    try:
        store = TrainingStore(options.state or Path("runs", "tables", f"{plan.space}.db"), plan.settings)
        with closing(ProcessPool(options.workers)) as workers:
            for training in train_missing(plan, store, workers, options.seconds, command):
                print(line(training, len(store.load()), len(plan.pairs)), flush=True)
        rows = write_table(options.out, plan, store.load(), command)
    except NasError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    print(f"{options.out}: {len(rows)} of {len(plan.pairs)} trainings")
    return 0


def line(training: Training, done: int, total: int) -> str:
    """Return a training on a line, after how many of all there are."""
    tested = "diverged" if training.test_error is None else f"test error {training.test_error:.4f}"
    return f"{done} of {total}: seed {training.seed}, {tested}, {training.seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
