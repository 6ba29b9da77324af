"""The best networks trained again from several seeds on a longer recipe, then tested once.

A search ranks networks by one short training each, so the best of many noisy scores is biased. Finalists are ranked by
the mean over fresh seeds, and only then is the test split read, once for each.
"""

import json
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Annotated

from pydantic import Field

from nas.errors import RunError, quoted
from nas.files import atomic_write
from nas.search.finalist_settings import FinalistSettings
from nas.search.pareto import front_of
from nas.search.results.finalist_trainings import FinalistTrainings, digest, training_files
from nas.search.results.run_data import RunData, load_run_data
from nas.search.store.readings import record_reading
from nas.search.store.rows import STRICT, Number, Share, read_rows
from nas.search.store.run import Run
from nas.search.store.run_files import exclusive_lock
from nas.search.trial import TrialRecord
from nas.search.workers.executor import make_executor
from nas.search.workers.job import Job
from nas.search.workers.train_all import FailurePolicy, TrainedJob, train_all
from nas.statistics import mean_share_interval
from nas.training.recipe import Recipe

FIRST_SEED = 2**20  # away from the seeds of the search itself


@dataclass(frozen=True)
class Finalist:
    """A network after retraining.

    errors: validation error (a fraction) by seed. low, high: 95 % interval of their mean (Student's t), equal to the
    mean with one seed. seed: of the training that was best on validation, whose weights are kept. test_error: of those
    weights. weights: their file's name, which ends in their digest; "" in runs of earlier versions. test_errors: by
    seed like errors, all read at once; () in runs of earlier versions.
    """

    __pydantic_config__ = STRICT

    number: Number
    errors: Annotated[tuple[Share, ...], Field(min_length=1)]
    low: Share
    high: Share
    seed: Number
    test_error: Share
    epochs: Annotated[int, Field(ge=1, lt=2**31)]
    weights: Annotated[str, Field(pattern=r"^([0-9]+-[0-9a-f]+\.safetensors)?$")] = ""
    test_errors: tuple[Share, ...] = ()

    @property
    def error(self) -> float:
        """Return the mean validation error over the seeds."""
        return mean(self.errors)

    def check_weights(self, file: Path) -> None:
        """Raise RunError when the file of the weights is missing, or has other content than when it was named."""
        if not file.is_file() or (self.weights and not file.stem.endswith(digest(file))):
            raise RunError(f"{file} is missing or was changed; restore it, or run: {_again(file.parent.parent)}")


def finalist_weights(path: Path, number: int) -> Path:
    """Return where a finalist's best weights lie. Raises RunError when the list of finalists is damaged."""
    names = (each.weights for each in load_finalists(path) if each.number == number)
    return path / "finalists" / (next(names, "") or f"{number:06d}.safetensors")


def chosen(run: Run, top: int) -> list[TrialRecord]:
    """Return the trials to train again: of the front, of lowest error first, then the others of lowest error.

    With one objective the front is one network, and by a single training each, the best is one of several.
    """
    complete = [record for record in run.records if record.error is not None]
    front = front_of(complete, run.experiment.objectives)
    return sorted(complete, key=lambda record: (record not in front, record.error, record.number))[:top]


def are_trained(run: Run, settings: FinalistSettings) -> bool:
    """Return whether the networks that the settings choose are finalists of as many epochs already."""
    epochs = settings.recipe(run.experiment.recipe).epochs
    trained = {each.number for each in load_finalists(run.path) if each.epochs == epochs}
    return {record.number for record in chosen(run, settings.top)} <= trained


def train_pending(run: Run) -> Iterator[str | Finalist]:
    """Train the finalists that an experiment asks for, unless they are trained; see `train_finalists`."""
    settings = run.experiment.finalists
    if settings is not None and not are_trained(run, settings):
        yield f"training the best {settings.top} networks again, from {settings.seeds} seeds each"
        yield from train_finalists(run, settings.recipe(run.experiment.recipe), settings.seeds, settings.top)


def train_finalists(run: Run, recipe: Recipe, seeds: int, top: int) -> Iterator[str | Finalist]:
    """Train the `top` networks that `chosen` returns from `seeds` seeds each.

    Yields a line after each training, then the finalists, best first, then a line on those kept from an earlier time.
    Each training is kept as it ends, so that an interrupted call goes on where it was. The list of finalists is
    replaced at the very end: it keeps earlier finalists that were not trained well this time. Raises RunError when no
    trial of the run is complete, when another driver holds it, when the disk is full, when all trainings or most with
    an error fail, or when the images are not those of the search; DataError when they cannot be read.
    """
    records = {record.number: record for record in chosen(run, top)}
    if not records:
        raise RunError(f"{run.path}: no trial is complete yet; continue with: nas resume {quoted(run.path)}")
    entries = [(record, FIRST_SEED + i) for record in records.values() for i in range(seeds)]
    errors: dict[int, dict[int, float]] = {}  # by trial, then by seed
    failures: list[str] = []
    with _working_folder(run.path):
        images = load_run_data(run)
        images.require_test()  # before hours of training
        earlier, kept_trainings = load_finalists(run.path), FinalistTrainings(run.path, recipe)
        waiting: list[Job] = []
        for place, (record, seed) in enumerate(entries):
            error = kept_trainings.error(record.number, seed)
            if error is None:
                waiting.append(_job(run, recipe, place, record, seed, kept_trainings.weights(record.number, seed)))
            else:
                errors.setdefault(record.number, {})[seed] = error
                yield f"{_name(record, seed, seeds)}: error {error:.4f}, trained before"
        with closing(_train(run, waiting)) as trainings:
            for trained in trainings:
                record, seed = entries[trained.job.number]
                name = _name(record, seed, seeds)
                if trained.error is None:
                    failures.append(f"{name}: failed: {trained.outcome.reason} {trained.outcome.detail}".rstrip())
                    yield failures[-1]
                else:
                    errors.setdefault(record.number, {})[seed] = trained.error
                    kept_trainings.add(record.number, seed, trained.error)
                    yield f"{name}: error {trained.error:.4f}"
        if not errors:
            kept = f"; the {len(earlier)} earlier finalists are kept" if earlier else ""
            raise RunError(f"{run.path}: all trainings of finalists failed{kept}. {'; '.join(failures):.1000}")
        load_run_data(run)  # the workers read the images while they trained
        ranked = sorted(
            (_test(run, images, records[number], found, recipe, kept_trainings) for number, found in errors.items()),
            key=_rank,
        )
        kept_before = [each for each in earlier if each.number not in errors]
        _write(run.path, sorted([*ranked, *kept_before], key=lambda each: (each.epochs != recipe.epochs, *_rank(each))))
        kept_trainings.clear()
    yield from ranked
    for each in kept_before:
        why = "failed this time" if any(each.number == record.number for record, _ in entries) else "not trained again"
        yield f"finalist {each.number} {why}: its result of {each.epochs} epochs is kept"


def _rank(finalist: Finalist) -> tuple[float, int]:
    return finalist.error, finalist.number


@contextmanager
def _working_folder(path: Path) -> Iterator[None]:
    """Hold the run, and remove weights that no finalist has: of this time, or of one that was killed.

    Raises RunError when another driver holds the run, or when it cannot be written.
    """
    try:
        with exclusive_lock(path):
            try:
                yield
            finally:
                _remove_unlisted(path)
    except OSError as problem:
        said = f"{path} cannot be written: {problem.strerror or problem}"
        raise RunError(f"{said}. Earlier finalists are kept; fix that and run again: {_again(path)}") from problem


def _again(path: Path) -> str:
    return f"nas finalists {quoted(path)}"


def _remove_unlisted(path: Path) -> None:
    """Remove weights that belong to no finalist and no training that is kept."""
    finalists = load_finalists(path)
    home = path / "finalists"
    listed = {finalist_weights(path, each.number) for each in finalists} | training_files(path)
    for file in (*home.glob("*-*.safetensors"), *(home / f"{each.number:06d}.safetensors" for each in finalists)):
        if file not in listed:
            file.unlink(missing_ok=True)


def _write(path: Path, finalists: list[Finalist]) -> None:
    rows = [asdict(finalist) for finalist in finalists]
    atomic_write(path / "finalists" / "finalists.json", json.dumps(rows, indent=1) + "\n")


def _name(record: TrialRecord, seed: int, seeds: int) -> str:
    return f"finalist {record.number}, seed {seed - FIRST_SEED + 1} of {seeds}"


def _job(run: Run, recipe: Recipe, place: int, record: TrialRecord, seed: int, weights: Path) -> Job:
    """Return the job of a training, numbered by its place among all."""
    experiment = run.experiment.model_copy(update={"recipe": recipe})
    return Job.for_trial(experiment, replace(record, number=place, seed=seed), weights)


def _train(run: Run, jobs: list[Job]) -> Generator[TrainedJob]:
    """Yield each training as it ends."""
    if not jobs:
        return
    with closing(make_executor(run.experiment, len(jobs))) as workers:
        yield from train_all(workers, jobs, FailurePolicy(run.path, again=_again(run.path)))


def _test(
    run: Run, images: RunData, record: TrialRecord, errors: dict[int, float], recipe: Recipe, kept: FinalistTrainings
) -> Finalist:
    """Keep the weights that were best on validation and read the test split once, with those of all seeds.

    errors: by seed.
    """
    seeds = sorted(errors)
    seed = min(seeds, key=lambda each: errors[each])
    trained = kept.weights(record.number, seed)
    weights = trained.with_name(f"{record.number:06d}-{digest(trained)}.safetensors")
    shutil.copyfile(trained, weights)
    test_errors = _test_errors(run, images, record, [kept.weights(record.number, each) for each in seeds])
    test_error = test_errors[seeds.index(seed)]
    record_reading(run.path, record.number, "nas finalists", test_error)
    values = tuple([errors[each] for each in seeds])
    low, high = mean_share_interval(values)
    return Finalist(
        record.number, values, low, high, seed, test_error, recipe.epochs, weights.name, tuple(test_errors)
    )  # fmt: skip


def _test_errors(run: Run, images: RunData, record: TrialRecord, files: list[Path]) -> list[float]:
    """Return the test error of a network with the weights of each file."""
    import torch

    from nas.model.export import load_weights
    from nas.model.module import module
    from nas.training.batches import Batches
    from nas.training.evaluation import evaluate

    network = module(record.graph, training=True)
    test = Batches(images.require_test(), images.require_data(), torch.device("cpu"))
    found = []
    for file in files:
        load_weights(network, file)
        found.append(evaluate(network, test).metric(run.experiment.metric))
    return found


def comparable(finalists: tuple[Finalist, ...]) -> tuple[Finalist, ...]:
    """Return the finalists trained for as many epochs as the first; errors of other epochs are not compared."""
    return tuple([each for each in finalists if each.epochs == finalists[0].epochs])


def load_finalists(path: Path) -> tuple[Finalist, ...]:
    """Return the finalists of a run: those of as many epochs as the last, best first, then others; none without any.

    Raises RunError when the file is damaged.
    """
    file = path / "finalists" / "finalists.json"
    try:
        return read_rows(file, Finalist)
    except ValueError as problem:
        raise RunError(f"{file} is damaged ({problem}); remove it and run: nas finalists {quoted(path)}") from None
