"""The runs that a search starts from: read once, when a run is made."""

from collections.abc import Iterator
from itertools import accumulate
from math import isfinite
from pathlib import Path

from nas.errors import ExperimentError, RunError, one_line, quoted
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.experiment import Experiment
from nas.search.propose.earlier import EarlierTrial
from nas.search.space import load_space
from nas.search.store.earlier_facts import EarlierTrials
from nas.search.store.space_facts import read_space, recorded_space, space_differences, with_first_name
from nas.search.store.study_view import StudyView, open_view
from nas.search.trial import TrialRecord, damaged
from nas.training.data import task
from nas.user_code import short_name

MAX_TRIALS = 2_000  # of each run
MAX_CHARACTERS = 10_000_000  # of the genomes among them, which are kept of networks without choices


def read_earlier_runs(
    experiment: Experiment, max_trials: int = MAX_TRIALS, max_characters: int = MAX_CHARACTERS
) -> EarlierTrials:
    """Return the finished trials of the runs that an experiment starts from, in order, stopped ones included.

    max_trials, max_characters: of each run, that many of the last trials, and characters of their genomes. Raises
    ExperimentError for what is not a run, a run of another search space or metric, and one without a trial that is a
    network for the images of this experiment. The code of the runs is not loaded.
    """
    if not experiment.start_runs:
        return ()
    space, images = load_space(experiment.space), task(experiment.source)
    runs = {name: _last(_read_run(name, experiment), max_trials, max_characters) for name in experiment.start_runs}
    return tuple([trial for name, trials in runs.items() for trial in _fitting(name, trials, space, images)])


def _read_run(name: str, experiment: Experiment) -> list[EarlierTrial]:
    try:
        with open_view(Path(name).expanduser()) as study:
            _check_same(name, study, experiment)
            finished = list(_finished(name, study, experiment))
    except RunError as problem:
        where = "" if name in str(problem) else f"{name}: "
        raise ExperimentError(f"start: {where}{problem}") from None
    if not finished:
        raise ExperimentError(f"start: {name} has no finished trial; continue it with: nas resume {quoted(name)}")
    return finished


def _last(trials: list[EarlierTrial], max_trials: int, max_characters: int) -> list[EarlierTrial]:
    """Return as many of the last trials as the limits allow, in order."""
    newest = trials[: -max_trials - 1 : -1]
    sizes = accumulate(len(trial.genome) for trial in newest)
    return [trial for trial, size in zip(newest, sizes, strict=True) if size <= max_characters][::-1]


def _fitting(name: str, trials: list[EarlierTrial], space: Space, images: Task) -> list[EarlierTrial]:
    """Return the trials of a run that are networks of the space for these images."""
    found = [trial for trial in trials if trial.candidate(space, images)]
    if not found:
        raise ExperimentError(
            f"start: none of the {len(trials)} finished trials of {name} is a network for images of {images.input} in "
            f"{images.classes} classes"
        )
    return found


def _check_same(name: str, study: StudyView, experiment: Experiment) -> None:
    """Raise ExperimentError unless a run is of the experiment's search space and metric."""
    before, old = study.experiment, recorded_space(study.facts()) or {}
    now = read_space(experiment) if old else {}
    shown = space_differences(old, with_first_name(now, old))
    if shown or before.space.rpartition(":")[2] != experiment.space.rpartition(":")[2]:
        raise ExperimentError(
            f"start: {name} is a run of another search space, {short_name(before.space)}, not of "
            f"{short_name(experiment.space)} as it is now. {shown}".rstrip()
        )
    if before.metric != experiment.metric:
        raise ExperimentError(
            f"start: {name} measured the metric {before.metric!r}, not {experiment.metric!r}; start from a run of the "
            "same metric"
        )


def _finished(name: str, study: StudyView, experiment: Experiment) -> Iterator[EarlierTrial]:
    for record in study.records():
        measured = _measured(name, record, experiment)
        if measured is not None and all(map(isfinite, measured)):
            try:
                yield EarlierTrial(name, measured, record.choices, "" if record.choices else record.genome)
            except ValueError as problem:  # a choice that is none
                raise damaged(record.number, problem) from None


def _measured(name: str, record: TrialRecord, experiment: Experiment) -> tuple[float, ...] | None:
    """Return what a trial measured of the objectives; None where it did not finish."""
    try:
        return record.measured(experiment.objectives)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as problem:
        wanted = ", ".join(each.name for each in experiment.objective_entries if not each.exact)
        raise ExperimentError(
            f"start: {name} does not hold all objectives that are measured ({wanted}): "
            f"{type(problem).__name__}: {one_line(problem):.200}"
        ) from None
