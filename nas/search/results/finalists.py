"""The best networks trained again from several seeds on a longer recipe, then tested once.

A search ranks networks by one short training each, so the best of many noisy scores is biased. Finalists are ranked by
the mean over fresh seeds, and only then is the test split read, once for each.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from nas.errors import RunError, quoted
from nas.files import atomic_write
from nas.search.finalist_settings import FinalistSettings
from nas.search.pareto import front_of
from nas.search.results.finalist_files import (
    Finalist,
    baselines_file,
    finalists_file,
    load_baselines,
    load_finalists,
    read_finalists,
)
from nas.search.results.finalist_trainings import FinalistTrainings
from nas.search.results.retraining import Retraining, working_folder
from nas.search.results.run_data import RunData, load_run_data
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.statistics import mean_share_interval
from nas.training.recipe import Recipe


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


def train_finalists(run: Run, recipe: Recipe, seeds: int, top: int) -> Iterator[str | Finalist]:
    """Train the `top` networks that `chosen` returns from `seeds` seeds each.

    Yields a line after each training, then the finalists, best first, then a line on those kept from an earlier time.
    Each training is kept as it ends, so that an interrupted call goes on where it was. The list of finalists is
    replaced at the very end: it keeps earlier finalists that were not trained well this time. Raises RunError when no
    trial of the run is complete, when another driver holds it, when the disk is full, when all trainings or most with
    an error fail, or when the images are not those of the search; DataError when they cannot be read.
    """
    records = chosen(run, top)
    if not records:
        raise RunError(f"{run.path}: no trial is complete yet; continue with: nas resume {quoted(run.path)}")
    yield from _train(run, recipe, seeds, records, finalists_file(run.path))


def train_baselines(run: Run, recipe: Recipe, seeds: int) -> Iterator[str | Finalist]:
    """Train the baselines of a run as finalists are, those that are not trained yet for as many epochs.

    Yields and raises as `train_finalists`, and yields a line where no baseline is complete.
    """
    complete = [record for record in run.baselines if record.error is not None]
    if not complete:
        yield "no baseline of the search is complete, so none is trained again"
    trained = {each.number for each in load_baselines(run.path) if each.epochs == recipe.epochs}
    if missing := [record for record in complete if record.number not in trained]:
        yield from _train(run, recipe, seeds, missing, baselines_file(run.path))


def _train(run: Run, recipe: Recipe, seeds: int, networks: list[TrialRecord], file: Path) -> Iterator[str | Finalist]:
    """Train networks and list them in a file, beside those that are listed already."""
    records = {record.number: record for record in networks}
    labels = {record.number: record.baseline for record in run.baselines}
    with working_folder(run.path):
        images = load_run_data(run)
        images.require_test()  # before hours of training
        earlier = read_finalists(file)
        retraining = Retraining(run, recipe, seeds, FinalistTrainings(run.path, recipe))
        found = yield from retraining.train(list(records.values()))
        found.require(run.path, f"; the {len(earlier)} earlier finalists are kept" if earlier else "")
        load_run_data(run)  # the workers read the images while they trained
        tested = (_test(retraining, records[number], errors, images) for number, errors in found.errors.items())
        ranked = sorted(tested, key=_rank)
        kept_before = [each for each in earlier if each.number not in found.errors]
        listed = sorted([*ranked, *kept_before], key=lambda each: (each.epochs != recipe.epochs, *_rank(each)))
        _write(file, listed)
        retraining.kept.clear()
    yield from ranked
    for each in kept_before:
        why = "failed this time" if each.number in records else "not trained again"
        name = labels.get(each.number) or f"finalist {each.number}"
        yield f"{name} {why}: its result of {each.epochs} epochs is kept"


def _rank(finalist: Finalist) -> tuple[float, int]:
    return finalist.error, finalist.number


def _write(file: Path, finalists: list[Finalist]) -> None:
    rows = [asdict(finalist) for finalist in finalists]
    atomic_write(file, json.dumps(rows, indent=1) + "\n")


def _test(retraining: Retraining, record: TrialRecord, errors: dict[int, float], images: RunData) -> Finalist:
    """Keep the weights that were best on validation and read the test split once, with those of all seeds.

    errors: by seed.
    """
    seeds = sorted(errors)
    seed = min(seeds, key=lambda each: errors[each])
    weights = retraining.keep(record, seed)
    test_errors = retraining.read_test(record, seeds, seed, images)
    values, epochs = tuple([errors[each] for each in seeds]), retraining.recipe.epochs
    low, high = mean_share_interval(values)
    test_error = test_errors[seeds.index(seed)]
    seconds = retraining.kept.seconds(record.number)
    return Finalist(record.number, values, low, high, seed, test_error, epochs, weights, test_errors, seconds)
