"""The front trained again from several seeds on a longer recipe, then tested once.

A search ranks networks by one short training each, so the best of many noisy scores is biased. Finalists are ranked by
the mean over fresh seeds, and only then is the test split read, once for each.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

from nas.errors import RunError, quoted
from nas.files import atomic_write
from nas.search.pareto import front_of
from nas.search.store.readings import record_reading
from nas.search.store.run import Run
from nas.search.store.run_files import exclusive_lock
from nas.search.trial import TrialRecord
from nas.search.workers.executor import make_executor
from nas.search.workers.job import Job
from nas.search.workers.train_all import FailurePolicy, TrainedJob, train_all
from nas.statistics import mean_interval
from nas.training.recipe import Recipe

FIRST_SEED = 2**20  # away from the seeds of the search itself


@dataclass(frozen=True)
class Finalist:
    """A network of the front after retraining.

    errors: validation error (a fraction) by seed. low, high: 95 % interval of their mean (Student's t), equal to the
    mean with one seed. seed: of the training that was best on validation, whose weights are kept. test_error: of those
    weights, read once.
    """

    number: int
    errors: tuple[float, ...]
    low: float
    high: float
    seed: int
    test_error: float
    epochs: int

    @property
    def error(self) -> float:
        """Return the mean validation error over the seeds."""
        return mean(self.errors)


def finalist_weights(path: Path, number: int) -> Path:
    """Return where a finalist's best weights lie."""
    return path / "finalists" / f"{number:06d}.safetensors"


def train_finalists(run: Run, recipe: Recipe, seeds: int, top: int) -> Iterator[str | Finalist]:
    """Train up to `top` networks of the front, of lowest error first, from `seeds` seeds each.

    Yields a line of progress after each training, then the finalists, best first. Raises RunError when the run has
    no front, when another driver holds it, when the disk is full, or when most trainings fail with an error.
    """
    complete = [record for record in run.records if record.error is not None]
    front = sorted(front_of(complete, run.experiment.objectives), key=lambda record: (record.error, record.number))
    if not front:
        raise RunError(f"{run.path}: no trial is complete yet; continue with: nas resume {quoted(run.path)}")
    entries = [(record, FIRST_SEED + i) for record in front[:top] for i in range(seeds)]
    errors: dict[int, dict[int, float]] = {}  # by trial, then by place among the entries
    with exclusive_lock(run.path):
        for trained in _train(run, recipe, entries):
            record, seed = entries[trained.job.number]
            ended = f"failed: {trained.outcome.reason}" if trained.error is None else f"error {trained.error:.4f}"
            yield f"finalist {record.number}, seed {seed - FIRST_SEED + 1} of {seeds}: {ended}"
            if trained.error is not None:
                errors.setdefault(record.number, {})[trained.job.number] = trained.error
        chosen = [_test(run, entries, found, recipe) for found in errors.values()]
        ranked = sorted(chosen, key=lambda finalist: (finalist.error, finalist.number))
        rows = [asdict(finalist) for finalist in ranked]
        atomic_write(run.path / "finalists" / "finalists.json", json.dumps(rows, indent=1) + "\n")
    yield from ranked


def _part(run: Run, place: int) -> Path:
    return run.path / "finalists" / f"part-{place:04d}.safetensors"


def _train(run: Run, recipe: Recipe, entries: list[tuple[TrialRecord, int]]) -> Iterator[TrainedJob]:
    """Yield each training as it ends, numbered by its place among the entries."""
    experiment = run.experiment.model_copy(update={"recipe": recipe})
    jobs = [
        Job.for_trial(experiment, replace(record, number=place, seed=seed), _part(run, place))
        for place, (record, seed) in enumerate(entries)
    ]
    with closing(make_executor(experiment, len(entries))) as workers:
        yield from train_all(workers, jobs, FailurePolicy(run.path))


def _test(run: Run, entries: list[tuple[TrialRecord, int]], errors: dict[int, float], recipe: Recipe) -> Finalist:
    """Keep the weights that were best on validation and read the test split with them. errors: by place, of one."""
    import torch

    from nas.model.export import load_weights
    from nas.model.module import module
    from nas.training.data import load_data, load_test
    from nas.training.train import Batches, evaluate

    best = min(errors, key=lambda place: errors[place])
    record, seed = entries[best]
    kept = finalist_weights(run.path, record.number)
    _part(run, best).replace(kept)
    for place in errors:
        _part(run, place).unlink(missing_ok=True)
    network = module(record.graph)
    load_weights(network, kept)
    data, test = load_data(run.experiment.source), load_test(run.experiment.source)
    test_error, _ = evaluate(network, Batches(test, data, torch.device("cpu")))
    record_reading(run.path, record.number, "nas finalists", test_error)
    values = tuple(errors.values())
    low, high = (min(1.0, max(0.0, end)) for end in mean_interval(values))  # an error is a share
    return Finalist(record.number, values, low, high, seed, test_error, recipe.epochs)


def load_finalists(path: Path) -> tuple[Finalist, ...]:
    """Return the finalists of a run, best first; none if there are none. Raises RunError when the file is damaged."""
    file = path / "finalists" / "finalists.json"
    if not file.is_file():
        return ()
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return tuple(replace(Finalist(**row), errors=tuple(map(float, row["errors"]))) for row in rows)
    except (ValueError, TypeError, KeyError) as problem:
        raise RunError(
            f"{file} is damaged ({problem!s:.100}); remove it and run: nas finalists {quoted(path)}"
        ) from None
