"""Networks of a run trained again from several seeds: what finalists, and finalists trained otherwise, share."""

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from nas.errors import RunError
from nas.search.results.finalist_files import finalists_again, kept_weights, load_finalists
from nas.search.results.finalist_trainings import FinalistTrainings, digest, training_files
from nas.search.results.run_data import RunData
from nas.search.store.readings import record_reading
from nas.search.store.run import Run
from nas.search.store.run_files import exclusive_lock
from nas.search.trial import TrialRecord
from nas.search.workers.executor import make_executor
from nas.search.workers.job import Job
from nas.search.workers.train_all import FailurePolicy, TrainedJob, train_all
from nas.training.recipe import Recipe

FIRST_SEED = 2**20  # away from the seeds of the search itself


@dataclass(frozen=True)
class Retrained:
    """What trainings gave. errors: on validation, by trial, then by seed. failures: in words."""

    errors: dict[int, dict[int, float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def require(self, path: Path, kept: str) -> None:
        """Raise RunError when no training ended well. kept: what of an earlier time is, in words."""
        if not self.errors:
            raise RunError(f"{path}: all trainings of finalists failed{kept}. {'; '.join(self.failures):.1000}")


def _unchanged(job: Job) -> Job:
    return job


@dataclass(frozen=True)
class Retraining:
    """Trainings of networks of a run from the first seeds. change: what is different from a finalist's job."""

    run: Run
    recipe: Recipe
    seeds: int
    kept: FinalistTrainings
    change: Callable[[Job], Job] = _unchanged

    def train(self, records: list[TrialRecord]) -> Generator[str, None, Retrained]:
        """Train what is not kept from an earlier time; yield a line after each training, return all results.

        Raises RunError when the disk is full, or when most trainings end with an error.
        """
        entries = [(record, FIRST_SEED + i) for record in records for i in range(self.seeds)]
        found, waiting = Retrained(), list[Job]()
        for place, (record, seed) in enumerate(entries):
            error = self.kept.error(record.number, seed)
            if error is None:
                waiting.append(self._job(place, record, seed))
            else:
                found.errors.setdefault(record.number, {})[seed] = error
                yield f"{self._name(record, seed)}: error {error:.4f}, trained before"
        with closing(self._trained(waiting)) as trainings:
            for trained in trainings:
                record, seed = entries[trained.job.number]
                name = self._name(record, seed)
                if trained.error is None:
                    found.failures.append(f"{name}: failed: {trained.outcome.reason} {trained.outcome.detail}".rstrip())
                    yield found.failures[-1]
                else:
                    found.errors.setdefault(record.number, {})[seed] = trained.error
                    self.kept.add(record.number, seed, trained.error, trained.scores[-1].seconds)
                    yield f"{name}: error {trained.error:.4f}"
        return found

    def _name(self, record: TrialRecord, seed: int) -> str:
        return f"{record.baseline or f'finalist {record.number}'}, seed {seed - FIRST_SEED + 1} of {self.seeds}"

    def _job(self, place: int, record: TrialRecord, seed: int) -> Job:
        """Return the job of a training, numbered by its place among all."""
        experiment = self.run.experiment.model_copy(update={"recipe": self.recipe})
        weights = self.kept.weights(record.number, seed)
        return self.change(Job.for_trial(experiment, replace(record, number=place, seed=seed), weights))

    def _trained(self, jobs: list[Job]) -> Generator[TrainedJob]:
        """Yield each training as it ends."""
        if not jobs:
            return
        with closing(make_executor(self.run.experiment, len(jobs))) as workers:
            yield from train_all(workers, jobs, FailurePolicy(self.run.path, again=finalists_again(self.run.path)))

    def keep(self, record: TrialRecord, seed: int) -> str:
        """Keep the weights of a training for good, and return their file's name. Raises OSError."""
        trained = self.kept.weights(record.number, seed)
        weights = trained.with_name(f"{record.number:06d}-{digest(trained)}.safetensors")
        shutil.copyfile(trained, weights)
        return weights.name

    def read_test(self, record: TrialRecord, seeds: list[int], shown: int, images: RunData) -> tuple[float, ...]:
        """Return the test error with the weights of each seed, read at once.

        shown: the seed whose error is recorded as read. Raises RunError or OSError.
        """
        files = [self.kept.weights(record.number, seed) for seed in seeds]
        errors = _test_errors(self.run, images, record, files)
        record_reading(self.run.path, record.number, "nas finalists", errors[seeds.index(shown)])
        return errors


def _test_errors(run: Run, images: RunData, record: TrialRecord, files: list[Path]) -> tuple[float, ...]:
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
    return tuple(found)


@contextmanager
def working_folder(path: Path) -> Iterator[None]:
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
        raise RunError(
            f"{said}. Earlier finalists are kept; fix that and run again: {finalists_again(path)}"
        ) from problem


def _remove_unlisted(path: Path) -> None:
    """Remove weights that belong to no finalist and no training that is kept."""
    home, listed = path / "finalists", {*kept_weights(path), *training_files(path)}
    former = (home / f"{each.number:06d}.safetensors" for each in load_finalists(path))
    for file in (*home.glob("*-*.safetensors"), *former):
        if file not in listed:
            file.unlink(missing_ok=True)
