"""The export of a trial: its weights, the reading of the test split, the files."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from nas.errors import RunError
from nas.model.export import ExportResult, export_network, load_weights
from nas.model.formats import Format
from nas.model.module import module
from nas.search.results.finalists import finalist_weights, load_finalists
from nas.search.store.readings import SplitReading, load_readings, record_reading
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.training.data import Data, class_names, load_data, load_test
from nas.training.train import Batches, evaluate, train


def trained_network(run: Run, record: TrialRecord, info: Callable[[str], None]) -> nn.Module:
    """Return the trial's network with its weights: the kept ones, or trained again from the trial's seed.

    Raises RunError when the trial is not complete, or when training again gives another score.
    """
    if record.error is None:
        reason = f": {record.reason}" if record.reason else ""
        raise RunError(f"trial {record.number} is {record.state}{reason}; choose another")
    network = module(record.graph)
    kept = run.weights(record)
    if kept.is_file():
        load_weights(network, kept)
        return network
    info(f"trial {record.number} is not on the front and its weights were not kept; training it again from its seed")
    torch.set_num_threads(1)  # as in the search: sums in another order give other scores
    scores = list(train(network, load_data(run.experiment.source), run.experiment.recipe, record.seed))
    if not record.is_repeated_by(scores[-1].error):
        raise RunError(f"trained again, trial {record.number} has error {scores[-1].error}, not {record.error}")
    return network


def export_trial(
    run: Run, record: TrialRecord, folder: Path, info: Callable[[str], None], formats: tuple[Format, ...] = ("source",)
) -> tuple[ExportResult, float]:
    """Export a trial and return what was written and its test accuracy. Raises RunError or ExportError."""
    data = load_data(run.experiment.source)
    torch.set_num_threads(1)
    finalist = next((each for each in load_finalists(run.path) if each.number == record.number), None)
    if finalist:
        network = module(record.graph)
        load_weights(network, finalist_weights(run.path, record.number))
        error = finalist.test_error
        reading = _readings_text(
            load_readings(run.path, record.number), f"as a finalist of {len(finalist.errors)} seeds"
        )
        best, epochs, seed = min(finalist.errors), finalist.epochs, finalist.seed
        info(
            f"trial {record.number} is a finalist: its weights are those of {epochs} epochs, error {best:.4f}, where "
            f"the search had {record.error:.4f}"
        )
    else:
        network = trained_network(run, record, info)
        error, reading = _read_test_split(run, record, network, data, info)
        best, epochs, seed = record.scores[-1].error, len(record.scores), record.seed
    accuracy = 1 - error
    facts = _inputs_and_outputs(data, class_names(run.experiment.source)) | {
        "Validation error": f"{best:.4f} after {epochs} epochs",
        "Test accuracy": f"{accuracy:.4f}, {reading}",
        "Seed": f"{seed} (trial {record.number} of a search with seed {run.experiment.seed})",
        "Budget": "; ".join(
            f"{name} {end} {value:,}"
            for name, limit in run.experiment.budget.items()
            for end, value in limit.as_dict().items()
        ),
        "Search": f"`{run.command}`",
        "Searched with": ", ".join(f"{name} {number}" for name, number in run.versions.items()),
    }
    story = (
        f"Trial {record.number} of a search of space {run.experiment.space} on {run.experiment.images}: "
        f"validation error {best:.4f}, test accuracy {accuracy:.4f}."
    )
    return export_network(record.graph, network, folder, run.task, story, facts, formats), accuracy


def _read_test_split(
    run: Run, record: TrialRecord, network: nn.Module, data: Data, info: Callable[[str], None]
) -> tuple[float, str]:
    """Return the test error, and how often the split was read for this trial; record the reading in the run."""
    before = load_readings(run.path, record.number)
    if before:
        info(f"the test split was read before for trial {record.number}, first {_first(before)}")
    error, _ = evaluate(network, Batches(load_test(run.experiment.source), data, torch.device("cpu")))
    record_reading(run.path, record.number, "nas export", error)
    return error, _readings_text(load_readings(run.path, record.number), "at this export")


def _readings_text(readings: tuple[SplitReading, ...], once: str) -> str:
    """Return how often the split was read, for the card; runs of earlier versions recorded none."""
    return f"read once, {once}" if len(readings) < 2 else f"read {len(readings)} times, first {_first(readings)}"


def _first(readings: tuple[SplitReading, ...]) -> str:
    return f"on {readings[0].date} by {readings[0].verb}"


def _inputs_and_outputs(data: Data, names: tuple[str, ...]) -> dict[str, str]:
    """Return descriptions of the network's inputs and outputs."""
    mean, std = ([round(255 * value, 4) for value in values] for values in (data.mean, data.std))
    colors = ", in the order red, green, blue" if len(mean) == 3 else ""
    called = ", ".join(f"{number} {name}" for number, name in enumerate(names) if name != str(number))
    return {
        "Input": f"(pixel value, 0 to 255, - mean) / std; mean {mean}, std {std}, one per channel{colors}",
        "Output": f"one logit per class; the largest is the prediction{called and ': ' + called}",
    }
