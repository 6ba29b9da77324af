"""The export of a trial: its weights, the reading of the test split, the files."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors import SafetensorError
from torch import nn

from nas.errors import RunError, quoted
from nas.genome.graph import Graph
from nas.model.export import ExportResult, check_folder, export_network, load_weights
from nas.model.fold import fold_network
from nas.model.formats import OPSET, Format
from nas.model.module import module
from nas.model.predict import Preprocessing
from nas.search.finalist_settings import VariantName
from nas.search.results.class_results import class_rows
from nas.search.results.export_int8 import Int8Export, check_int8, export_int8
from nas.search.results.finalist_files import (
    Finalist,
    FinalistVariant,
    finalist_weights,
    finalists_again,
    find_finalist,
    load_variants,
)
from nas.search.results.fine_tune_int8 import FineTuning
from nas.search.results.run_data import RunData, load_run_data
from nas.search.store.data_facts import DataFacts
from nas.search.store.readings import SplitReading, load_readings, record_reading
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.search.workers.executor import make_executor
from nas.search.workers.job import Job
from nas.search.workers.train_all import FailurePolicy, train_all
from nas.training.batches import Batches
from nas.training.data.registry import pixel_max, preparation
from nas.training.device import has_device
from nas.training.evaluation import Evaluation, evaluate
from nas.training.metrics import METRICS
from nas.user_code import is_outside

CPU = torch.device("cpu")


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with its weights, in the form in which it trained.

    error: on validation, a fraction, as recorded; None where it was trained on those images. unchecked: in words.
    validation: how it does on those images now.
    """

    network: nn.Module
    error: float | None
    epochs: int
    seed: int
    unchecked: tuple[str, ...] = ()
    validation: Evaluation | None = None


def trained_network(run: Run, record: TrialRecord, images: RunData, info: Callable[[str], None]) -> TrainedNetwork:
    """Return the trial's network with its weights: the kept ones, or trained again from the trial's seed.

    Kept weights are evaluated on the validation images, if there are any. A trainer of the user's own is not run: it
    may have measured the error otherwise, which is no fault. Raises RunError when the trial is not complete, when
    weights of such a trainer were not kept, when the weights do not fit the network, or when they have another error
    than the trial; DataError when the images are needed and cannot be read.
    """
    if record.error is None:
        reason = f": {record.reason}" if record.reason else ""
        raise RunError(f"trial {record.number} is {record.state}{reason}; choose another")
    network, kept, trainer = module(record.graph, training=True), run.weights(record), run.experiment.trainer
    trained = TrainedNetwork(network, record.error, len(record.scores), record.seed)
    if not kept.is_file() and is_outside(trainer):
        raise RunError(
            f"{kept} was not kept, and {trainer}, which trained it, is not run again; choose a trial of the front, "
            "whose weights are kept"
        )
    if not kept.is_file():
        info(f"trial {record.number} is not on the front and its weights were not kept; training it again")
        images.require_data()
        _train_again(run, record, network)
        return replace(trained, validation=_validate(network, images))
    _load(network, kept)
    validation = _validate(network, images)
    if validation is None:
        return trained
    error = validation.metric(run.experiment.metric)
    trained = replace(trained, validation=validation)
    if not record.is_repeated_by(error) and is_outside(trainer):
        what = f"the error that {trainer} told, {record.error:.4f}: with the input of this card it is {error:.4f}"
        return replace(trained, unchecked=(what,))
    if not record.is_repeated_by(error):
        raise RunError(
            f"{kept} has validation error {error:.4f}, trial {record.number} has {record.error:.4f}: these are not "
            "its weights; restore them, or remove the file to train the trial again"
        )
    return trained


def _train_again(run: Run, record: TrialRecord, network: nn.Module) -> None:
    """Train a trial again in a worker, and load its weights. Raises RunError when that gives another score.

    An optimizer takes more memory than all else here. Without the search's GPU the trial is trained on the CPU.
    """
    experiment = run.experiment
    experiment = experiment if has_device(experiment.device) else experiment.model_copy(update={"device": "cpu"})
    again = f"nas export {quoted(run.path)}:{record.number}"
    with TemporaryDirectory() as scratch, closing(make_executor(experiment, 1)) as workers:
        job = Job.for_trial(experiment, record, Path(scratch) / "weights.safetensors")
        (trained,) = train_all(workers, [job], FailurePolicy(run.path, again=again))
        if trained.error is None or not record.is_repeated_by(trained.error):
            ended = trained.outcome.reason.summary if trained.error is None else f"has error {trained.error}"
            raise RunError(f"trained again, trial {record.number} {ended}, not error {record.error}")
        _load(network, Path(job.weights))


def _validate(network: nn.Module, images: RunData) -> Evaluation | None:
    """Return how a network does on the validation images; None where they cannot be read."""
    data = images.data
    return evaluate(network, Batches(data.validation, data, CPU)) if data else None


def _load(network: nn.Module, file: Path) -> None:
    """Load weights. Raises RunError when they are damaged or of another network."""
    try:
        load_weights(network, file)
    except (OSError, RuntimeError, SafetensorError) as problem:
        said = " ".join(str(problem).split())
        raise RunError(f"{file} does not hold the weights of this network: {said:.200}; restore it") from None


def _finalist_network(
    run: Run, record: TrialRecord, finalist: Finalist, images: RunData, info: Callable[[str], None]
) -> TrainedNetwork:
    """Return a finalist with its weights. Raises RunError when they are missing, or not its own."""
    file, best = finalist_weights(run.path, record.number), min(finalist.errors)
    network = module(record.graph, training=True)
    finalist.check_weights(file)
    _load(network, file)
    info(
        f"trial {record.number} is a finalist: its weights are those of {finalist.epochs} epochs, error {best:.4f}, "
        f"where the search had {record.error:.4f}"
    )
    unchecked = () if finalist.weights else ("whether the weights are those of the finalist's training",)
    return TrainedNetwork(network, best, finalist.epochs, finalist.seed, unchecked, _validate(network, images))


def _variant_network(run: Run, record: TrialRecord, variant: FinalistVariant) -> TrainedNetwork:
    """Return a finalist that was trained in another way. Raises RunError when its weights are missing, or not its own.

    The images for validation tell nothing of one that was trained on them.
    """
    file = run.path / "finalists" / variant.weights
    network = module(record.graph, training=True)
    variant.check_weights(file)
    _load(network, file)
    return TrainedNetwork(network, min(variant.errors, default=None), variant.epochs, variant.seed)


def find_variant(run: Run, record: TrialRecord, name: VariantName) -> FinalistVariant:
    """Return a finalist that was trained in another way, the latest. Raises RunError where there is none."""
    found = [each for each in load_variants(run.path) if (each.number, each.name) == (record.number, name)]
    if not found:
        option = "--all-images" if name == "all-images" else "--teacher TRIAL"
        raise RunError(
            f"trial {record.number} was not trained as {name}; the best finalist is, with: "
            f"{finalists_again(run.path)} {option}"
        )
    return found[-1]


def kept_network(run: Run, record: TrialRecord) -> nn.Module:
    """Return a trial's network as it is exported, with the weights that its run keeps: a finalist's, or the search's.

    Raises RunError where none are kept, or they do not fit.
    """
    finalist = find_finalist(run.path, record.number)
    file = finalist_weights(run.path, record.number) if finalist else run.weights(record)
    if not file.is_file():
        raise RunError(
            f"the weights of trial {record.number} are not kept, only those of the front; to train it again: "
            f"nas export {quoted(f'{run.path}:{record.number}')}"
        )
    network = module(record.graph, training=True)
    _load(network, file)
    return fold_network(record.graph, network)


def export_trial(
    run: Run, record: TrialRecord, folder: Path, info: Callable[[str], None],
    formats: tuple[Format, ...] = ("source",), opset: int = OPSET, qat: int = 0, variant: VariantName | None = None,
) -> tuple[ExportResult, float | None]:  # fmt: skip
    """Export a trial and return what was written and its test accuracy, None where the test images cannot be read.

    What the run recorded when it was made is on the card; images that differ are refused. Kept weights are exported
    without the images too, and the card says what could not be checked. The format tflite needs the training images;
    `qat` is for how many epochs its network is fine-tuned on them. variant: the weights of the finalist trained in
    another way. Raises RunError, DataError, DeviceError,
    TrainingError or ExportError.
    """
    check_folder(folder)
    images = load_run_data(run.require_search())
    if "tflite" in formats:
        check_int8(record.graph, images)
    torch.set_num_threads(1)  # as in the search: sums in another order give other scores
    finalist = find_finalist(run.path, record.number)
    other = find_variant(run, record, variant) if variant else None
    if other:
        trained = _variant_network(run, record, other)
        info(f"finalist {record.number}, {other.title}: its weights are those of {other.epochs} epochs")
        if other.errors:
            trained = replace(trained, validation=_validate(trained.network, images))
        readings = load_readings(run.path, record.number)
        error: float | None = other.test_error
        test: Evaluation | None = None
        reading = _readings_text(readings, f"with the weights of {len(other.test_errors)} seeds")
    elif finalist:
        trained = _finalist_network(run, record, finalist, images, info)
        readings = load_readings(run.path, record.number)
        error = finalist.test_error
        test = None
        reading = _readings_text(readings, f"as a finalist of {len(finalist.errors)} seeds")
    else:
        trained = trained_network(run, record, images, info)
        error, reading, test = _read_test_split(run, record, trained.network, images, info)
    unchecked = (*images.unchecked, *trained.unchecked)
    for what in unchecked:
        info(f"not checked: {what}")
    metric = METRICS[run.experiment.metric]
    accuracy = 1 - test.error if test else 1 - error if error is not None and metric.name == "error" else None
    measured = "not measured" if accuracy is None else f"{accuracy:.4f}"
    validated = "not measured: trained on those images," if trained.error is None else f"{trained.error:.4f}"
    read, name = f", {reading}" if reading else "", run.experiment.source.name
    preprocessing = _preprocessing(images.facts, record.graph, pixel_max(name))
    facts = _inputs_and_outputs(images.facts, preparation(name), pixel_max(name)) | {
        f"Validation {metric.title}": f"{validated} after {trained.epochs} epochs",
        **({"Trained": other.title} if other else {}),
        **({f"Test {metric.title}": f"{error:.4f}{read}"} if metric.name != "error" and error is not None else {}),
        "Test accuracy": measured + read,
        **class_rows("validation", trained.validation, images.facts.class_names),
        **class_rows("test", test, images.facts.class_names),
        **({"Not checked": "; ".join(unchecked)} if unchecked else {}),
        "Seed": f"{trained.seed} (trial {record.number} of a search with seed {run.experiment.seed})",
        "Budget": "; ".join(
            f"{name} {end} {value:,}"
            for name, limit in run.experiment.budget.items()
            for end, value in limit.as_dict().items()
        ),
        "Search": f"`{run.command}`",
        "Searched with": ", ".join(f"{name} {number}" for name, number in run.versions.items()),
    }
    int8 = None
    if "tflite" in formats:
        int8 = _export_int8(run, record, trained, images, test, qat, info)
        facts |= int8.rows
    story = (
        f"Trial {record.number} of a search of space {run.experiment.space} on {run.task.name}: "
        f"validation {metric.title} {'not measured' if trained.error is None else validated}, test accuracy {measured}."
    )
    try:
        exported = export_network(
            record.graph, trained.network, folder, run.task, story, facts, formats, opset, preprocessing,
            int8.file if int8 else None,
        )  # fmt: skip
    except OSError as problem:
        raise RunError(
            f"{folder} cannot be written: {problem.strerror or problem}. An earlier export there is unchanged; make "
            "room, or choose another folder with --out"
        ) from problem
    return exported, accuracy


def _export_int8(
    run: Run, record: TrialRecord, trained: TrainedNetwork, images: RunData, test: Evaluation | None, qat: int,
    info: Callable[[str], None],
) -> Int8Export:  # fmt: skip
    """Return a trial's network in integers, after what the card says of it was said; offer fine-tuning if it helps."""
    tuning = FineTuning(qat, run.experiment.recipe, trained.seed) if qat else None
    int8 = export_int8(record.graph, trained.network, images, trained.validation, test, tuning, info)
    for name, value in int8.rows.items():
        info(f"{name}: {value}")
    if int8.loses_much and not qat:
        again = f"nas export {quoted(f'{run.path}:{record.number}')} --format tflite --qat 5"
        info(f"8-bit integers lose {100 * int8.lost:.1f} points of validation accuracy; to fine-tune for them: {again}")
    return int8


def _read_test_split(
    run: Run, record: TrialRecord, network: nn.Module, images: RunData, info: Callable[[str], None]
) -> tuple[float | None, str, Evaluation | None]:
    """Return the test error, how often the split was read for this trial, and how the network does on it.

    The reading is recorded in the run. Without the test images the error is that of an earlier export, or None.
    """
    before = load_readings(run.path, record.number)
    if images.data is None or images.test is None:
        known = [each for each in before if each.verb == "nas export"]  # of these weights
        return (known[-1].error, f"read on {known[-1].date} by nas export", None) if known else (None, "", None)
    if before:
        info(f"the test split was read before for trial {record.number}, first {_first(before)}")
    found = evaluate(network, Batches(images.test, images.data, CPU))
    error = found.metric(run.experiment.metric)
    try:
        record_reading(run.path, record.number, "nas export", error)
    except OSError as problem:
        info(f"{run.path} cannot be written ({problem.strerror}): this reading of the test split is not recorded")
    now = SplitReading(record.number, "nas export", "now", error)
    return error, _readings_text((*before, now), "at this export"), found


def _readings_text(readings: tuple[SplitReading, ...], once: str) -> str:
    """Return how often the split was read, for the card; runs of earlier versions recorded none."""
    return f"read once, {once}" if len(readings) < 2 else f"read {len(readings)} times, first {_first(readings)}"


def _first(readings: tuple[SplitReading, ...]) -> str:
    return f"on {readings[0].date} by {readings[0].verb}"


def _preprocessing(facts: DataFacts, graph: Graph, white: int) -> Preprocessing | None:
    """Return how a picture becomes an input, None where the run does not record it. white: its pixel value."""
    if not (facts.mean and facts.std):
        return None
    classes = graph.nodes[graph.outputs[0]].shape[0]
    labels = facts.class_names or tuple(map(str, range(classes)))
    mean, std = (tuple(255 * value for value in values) for values in (facts.mean, facts.std))
    channels, height, width = graph.input
    return Preprocessing((channels, height, width), mean, std, white, labels)


def _inputs_and_outputs(facts: DataFacts, prepared: str, white: int) -> dict[str, str]:
    """Return descriptions of the network's inputs and outputs. prepared: what became of the images of files."""
    names = ", ".join(f"{number} {name}" for number, name in enumerate(facts.class_names or ()) if name != str(number))
    moments = "mean and std per channel of all images a search may see, which this run did not record"
    if facts.mean and facts.std:
        mean, std = ([round(255 * value, 4) for value in values] for values in (facts.mean, facts.std))
        colors = ", in the order red, green, blue" if len(mean) == 3 else ""
        moments = f"mean {mean}, std {std}, one per channel{colors}"
    scaled = f", of a picture file times {white} / 255" if white != 255 else ""
    return {
        "Input": f"(pixel value, 0 to {white}{scaled}, - mean) / std; {moments}{prepared and '; ' + prepared}",
        "Output": f"one logit per class; the largest is the prediction{names and ': ' + names}",
    }
