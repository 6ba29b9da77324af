"""What an objective and a sampler share: the experiment, its space, and the networks that a study holds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.search.space import checked_space, load_space
from nas.training.data import task

DUPLICATE = "duplicate_of"  # attribute of a trial that was not trained: the number of the one with its network


@dataclass(frozen=True)
class StudySetting:
    """An experiment with its space and task."""

    experiment: Experiment
    space: Space
    task: Task

    @classmethod
    def of(cls, experiment: Experiment | str | Path, space: Callable[..., Any] | None) -> "StudySetting":
        """Return the setting of an experiment, or of the name or path of one.

        space: a function of a trial and a task in place of the experiment's. Raises ExperimentError, or DataError
        where the images have to be read.
        """
        if not isinstance(experiment, Experiment):
            experiment = load_experiment(str(experiment))
        made = load_space(experiment.space) if space is None else checked_space(space)
        return cls(experiment, made, task(experiment.source))


def trials_with_network(trials: list[FrozenTrial], but: int) -> Iterator[FrozenTrial]:
    """Yield the trials that train a network or did, except one number: none that waits, failed or is a duplicate."""
    for trial in trials:
        over = trial.state in (TrialState.WAITING, TrialState.FAIL) or DUPLICATE in trial.user_attrs
        if trial.number != but and not over:
            yield trial
