"""The interface of trackers, which show the trials of a search in another program."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from nas.errors import ExperimentError
from nas.search.experiment import Experiment
from nas.search.registries import TRACKERS
from nas.search.trial import TrialRecord

EXTRAS = ("mlflow", "wandb")  # trackers whose package, of the same name, is not installed with the toolkit
CURVES = ("error", "loss", "train_loss")
"""What a tracker shows by epoch."""


class Tracker(Protocol):
    """What a search tells of its trials. All that is written lies in the run directory, and none of it is sent."""

    def scored(self, record: TrialRecord) -> None:
        """Add the last epoch of a trial. Raises OSError or RunError where it cannot be written."""
        ...

    def ended(self, record: TrialRecord) -> None:
        """End a trial, which may not have been scored. Raises as `scored`."""
        ...


class NoTracker:
    """The tracker of an experiment without one."""

    def scored(self, record: TrialRecord) -> None:
        pass

    def ended(self, record: TrialRecord) -> None:
        pass


def check_tracker(name: str | None) -> None:
    """Raise ExperimentError where the package of a tracker is not installed."""
    if name in EXTRAS and find_spec(name) is None:
        raise ExperimentError(f"tracker {name!r} needs a package that is missing: pip install 'nas-convnets[{name}]'")


def make_tracker(experiment: Experiment, path: Path) -> Tracker:
    """Return the tracker of an experiment, which writes into the run directory. Raises ExperimentError or RunError."""
    if experiment.tracker is None:
        return NoTracker()
    check_tracker(experiment.tracker)
    tracker: Tracker = TRACKERS.find(experiment.tracker).load()(path, experiment.name)
    return tracker


def facts_of(record: TrialRecord) -> dict[str, Any]:
    """Return what is known of a trial when it begins: number or baseline, seed, counts and choices."""
    known = {"trial": record.number, "seed": record.seed, **record.cost.as_dict()}
    return known | ({"baseline": record.baseline} if record.baseline else {}) | record.choices


def title_of(record: TrialRecord) -> str:
    """Return the name of a trial in a list."""
    return record.baseline or f"trial {record.number:06d}"
