"""The last steps of a chosen trial: its weights, its one reading of the test split, its export."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from nas.errors import RunError
from nas.model.export import ExportResult, export_network, load_weights
from nas.model.formats import Format
from nas.model.module import module
from nas.search.results.finalists import load_finalists, weights
from nas.search.trial import Run, TrialRecord
from nas.training.data import Data, class_names, load_data, load_test
from nas.training.train import Batches, evaluate, train


def trained(run: Run, record: TrialRecord, say: Callable[[str], None]) -> nn.Module:
    """The trial's network with its weights: the kept ones, or trained again from the trial's seed.

    Raises RunError when the trial is not complete, or when training again gives another score.
    """
    if record.error is None:
        raise RunError(
            f"trial {record.number} is {record.state}{record.reason and ': ' + record.reason}; choose another"
        )
    network = module(record.graph)
    kept = run.weights(record)
    if kept.is_file():
        load_weights(network, kept)
        return network
    say(f"trial {record.number} is off the front and its weights were not kept; training it again from its seed")
    torch.set_num_threads(1)  # as in the search: sums in another order give other scores
    scores = list(train(network, load_data(run.experiment.source), run.experiment.recipe, record.seed))
    if abs(scores[-1].error - record.error) > 0.01:
        raise RunError(f"trained again, trial {record.number} has error {scores[-1].error}, not {record.error}")
    return network


def export_trial(
    run: Run, record: TrialRecord, folder: Path, say: Callable[[str], None], formats: tuple[Format, ...] = ("source",)
) -> tuple[ExportResult, float]:
    """Export a trial; returns what was written and the test accuracy. Raises RunError or ExportError."""
    data = load_data(run.experiment.source)
    torch.set_num_threads(1)
    finalist = next((f for f in load_finalists(run.path) if f.number == record.number), None)
    if finalist:
        network = module(record.graph)
        load_weights(network, weights(run.path, record.number))
        error, reading = finalist.test_error, f"read once, as a finalist of {len(finalist.errors)} seeds"
        best, epochs, seed = min(finalist.errors), finalist.epochs, finalist.seed
        say(f"trial {record.number} is a finalist: its weights are those of {epochs} epochs, error {best:.4f}, where "
            f"the search had {record.error:.4f}")  # fmt: skip
    else:
        network = trained(run, record, say)
        error, _ = evaluate(network, Batches(load_test(run.experiment.source), data, torch.device("cpu")))
        reading = "read once, at this export"
        best, epochs, seed = record.scores[-1].error, len(record.scores), record.seed
    accuracy = 1 - error
    budget = run.experiment.budget.as_dict()
    facts = _ends(data, class_names(run.experiment.source)) | {
        "Validation error": f"{best:.4f} after {epochs} epochs",
        "Test accuracy": f"{accuracy:.4f}, {reading}",
        "Seed": f"{seed} (trial {record.number} of a search with seed {run.experiment.seed})",
        "Budget": "; ".join(f"{name} {end} {value:,}" for name, ends in budget.items() for end, value in ends.items()),
        "Search": f"`{run.command}`",
        "Searched with": ", ".join(f"{name} {number}" for name, number in run.versions.items()),
    }
    story = (
        f"Trial {record.number} of a search of space {run.experiment.space} on {run.experiment.images}: "
        f"validation error {best:.4f}, test accuracy {accuracy:.4f}."
    )
    exported = export_network(record.graph, network, folder, run.task, story, facts, formats)
    return exported, accuracy


def _ends(data: Data, names: tuple[str, ...]) -> dict[str, str]:
    """What a network must be given, and what it answers."""
    mean, deviation = ([round(255 * value, 4) for value in values] for values in (data.mean, data.std))
    colours = ", in the order red, green, blue" if len(mean) == 3 else ""
    called = ", ".join(f"{number} {name}" for number, name in enumerate(names) if name != str(number))
    return {
        "Input": f"(pixel value, 0 to 255, - mean) / deviation; mean {mean}, deviation {deviation}, a channel each"
        f"{colours}",
        "Output": f"a score a class, the largest is the answer{called and ': ' + called}",
    }
