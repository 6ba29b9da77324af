"""The best finalist trained once more: on the images for validation too, or taught by another network.

Which network it is was chosen before, on validation images. What is gained is said beside the finalist, whose result
stays as it is.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from nas.errors import RunError, quoted
from nas.files import atomic_write
from nas.genome.genome_json import to_json
from nas.genome.graph import Graph
from nas.search.finalist_settings import FinalistSettings, VariantName
from nas.search.results.finalist_files import (
    Finalist,
    FinalistVariant,
    finalist_weights,
    find_finalist,
    load_finalists,
    load_variants,
    variants_file,
)
from nas.search.results.finalist_trainings import FinalistTrainings
from nas.search.results.finalists import are_trained, train_baselines, train_finalists
from nas.search.results.retraining import Retraining, working_folder
from nas.search.results.run_data import load_run_data
from nas.search.store.run import Run, load_run
from nas.search.trial import TrialRecord
from nas.search.workers.job import Job, Teacher, block_code
from nas.training.recipe import Recipe


def train_pending(run: Run, settings: FinalistSettings | None = None) -> Iterator[str | Finalist | FinalistVariant]:
    """Train what the settings ask for, by default the experiment's, unless it is trained.

    Raises as `train_finalists`.
    """
    settings = settings or run.experiment.finalists
    if settings is None:
        return
    recipe = settings.recipe(run.experiment.recipe)
    if not are_trained(run, settings):
        yield f"training the best {settings.top} networks again, from {settings.seeds} seeds each"
        yield from train_finalists(run, recipe, settings.seeds, settings.top)
    for name in settings.variants:
        yield from _train_variant(run, recipe, settings, name)
    if settings.baselines:
        yield from train_baselines(run, recipe, settings.seeds)


def _train_variant(
    run: Run, recipe: Recipe, settings: FinalistSettings, name: VariantName
) -> Iterator[str | FinalistVariant]:
    """Train the best finalist in another way, unless it is trained so."""
    finalist, teacher = load_finalists(run.path)[0], settings.teacher if name == "distilled" else ""
    known = load_variants(run.path)
    if any(_key(each) == (finalist.number, name, teacher) and each.epochs == recipe.epochs for each in known):
        return
    record = run.record(str(finalist.number))
    change = _taught_by(run, record, teacher) if name == "distilled" else _with_all_images
    said = f"by {teacher}" if teacher else "on all images"
    yield f"training finalist {finalist.number} again, {'taught ' * bool(teacher)}{said}, from {settings.seeds} seeds"
    with working_folder(run.path):
        images = load_run_data(run)
        kept = FinalistTrainings(run.path, recipe, f"{name} {teacher}".strip())
        retraining = Retraining(run, recipe, settings.seeds, kept, change)
        found = yield from retraining.train([record])
        found.require(run.path, "; the finalists are kept")
        load_run_data(run)
        errors = found.errors[record.number]
        seeds = sorted(errors)
        seed = min(seeds, key=lambda each: errors[each])
        if name == "all-images":  # their errors say nothing: chosen as the finalist's was, where it ended well
            seed = finalist.seed if finalist.seed in errors else seeds[0]
        weights = retraining.keep(record, seed)
        test_errors = retraining.read_test(record, seeds, seed, images)
        validation = () if name == "all-images" else tuple([errors[each] for each in seeds])
        made = FinalistVariant(
            record.number, name, teacher, validation, test_errors, seed, test_errors[seeds.index(seed)], recipe.epochs,
            weights,
        )  # fmt: skip
        _write(run.path, [*(each for each in known if _key(each) != _key(made)), made])
        kept.clear()
    yield made


def _key(variant: FinalistVariant) -> tuple[int, str, str]:
    return variant.number, variant.name, variant.teacher


def _write(path: Path, variants: list[FinalistVariant]) -> None:
    atomic_write(variants_file(path), json.dumps([asdict(each) for each in variants], indent=1) + "\n")


def _with_all_images(job: Job) -> Job:
    return replace(job, data=replace(job.data, all_images=True))


def _taught_by(run: Run, record: TrialRecord, teacher: str) -> Callable[[Job], Job]:
    """Return the change of a job that has a teacher. Raises RunError where it has no weights, or reads other images."""
    home, number = find_teacher(run, teacher)
    other = home.record(number)
    finalist = find_finalist(home.path, other.number)
    weights = finalist_weights(home.path, other.number) if finalist else home.weights(other)
    if not weights.is_file():
        raise RunError(
            f"the weights of the teacher, trial {other.number} of {home.path}, are not kept, only those of the front "
            "and of finalists; choose one of these"
        )
    if finalist:
        finalist.check_weights(weights)
    check_teacher(record.graph, other.graph)
    taught = Teacher(to_json(other.graph), str(weights.absolute()))
    code = block_code(other.graph, home.experiment.space)
    return lambda job: replace(job, teacher=taught, code=code | job.code)


def check_teacher(network: Graph, teacher: Graph) -> None:
    """Raise RunError where a teacher reads other images than a network, or knows other classes."""
    for what, own, its in (("images", network.input, teacher.input), ("classes", _classes(network), _classes(teacher))):
        if own != its:
            raise RunError(f"the teacher has {what} of {its}, the network of {own}; choose a teacher of the same data")


def _classes(graph: Graph) -> int:
    return graph.nodes[graph.outputs[0]].shape[0]


def find_teacher(run: Run, teacher: str) -> tuple[Run, str]:
    """Return the run of a teacher and its trial: a trial of this run, another run, whose best it is, or RUN:TRIAL.

    Raises RunError.
    """
    if teacher.isdecimal() or teacher == "best":
        return run, teacher
    home, colon, number = teacher.rpartition(":")
    if colon and Path(home).is_dir():
        return load_run(Path(home)), number
    if not Path(teacher).is_dir():
        raise RunError(f"the teacher {quoted(teacher)} is neither a trial of {run.path} nor another run, or RUN:TRIAL")
    return load_run(Path(teacher)), "best"
