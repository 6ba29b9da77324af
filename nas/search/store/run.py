"""A snapshot of a run directory: read once, nothing held open."""

import platform
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from nas.errors import RunError
from nas.genome.task import Task
from nas.search.experiment import Experiment
from nas.search.store.run_files import trial_weights
from nas.search.store.study import Study, open_run, proposal_counts, search_trials
from nas.search.trial import TrialRecord
from nas.training.data import task


@dataclass(frozen=True)
class Run:
    """The trials of a search and what they were made with.

    records: trials of the search. baselines: known networks trained with the same recipe; none is among `records`.
    proposal_counts: proposals by outcome. command: that began the run. versions: of the packages it began with.
    seconds_used: time that drivers have worked on it; None where that is not recorded.
    """

    path: Path
    experiment: Experiment
    records: tuple[TrialRecord, ...]
    proposal_counts: Mapping[str, int]
    command: str
    versions: dict[str, str]
    baselines: tuple[TrialRecord, ...] = ()
    seconds_used: float | None = None

    @cached_property
    def task(self) -> Task:
        """Return the networks' task; read off the first network, so that no images are needed."""
        name = self.experiment.images
        if not self.records:
            return replace(task(self.experiment.source), name=name)
        graph = self.records[0].graph
        return Task(name, graph.input, graph.nodes[graph.outputs[0]].shape[0])

    def best(self) -> TrialRecord:
        """Return the complete trial of lowest validation error, the cheaper of equals. Raises RunError without one."""
        done = [record for record in self.records if record.error is not None]
        if not done:
            raise RunError(f"{self.path}: no trial is complete yet; continue with: nas resume {self.path}")
        return min(done, key=lambda record: (record.error, record.cost.macs, record.number))

    def record(self, which: str) -> TrialRecord:
        """Return a trial by number, or `best`. Raises RunError."""
        if which == "best":
            return self.best()
        found = [record for record in (*self.records, *self.baselines) if str(record.number) == which]
        if not found:
            raise RunError(f"{self.path}: no trial {which[:20]!r}; there are {len(self.records)}, from 0, and `best`")
        return found[0]

    def weights(self, record: TrialRecord) -> Path:
        """Return where a trial's weights lie, if they were kept."""
        return trial_weights(self.path, record.number)


def read_run(study: Study) -> Run:
    """Return the run of an open study. Raises RunError when the study is damaged."""
    command, made_with = study.origin()
    trials = study.stored()
    search = search_trials(trials)
    baselines = tuple([trial.record for trial in trials if trial.is_baseline])
    records = tuple([trial.record for trial in search])
    counts, seconds = dict(proposal_counts(search)), study.seconds_used()
    return Run(study.path, study.experiment, records, counts, command, made_with, baselines, seconds)


def load_run(path: Path) -> Run:
    """Return a snapshot of a run directory, finished or not. Raises RunError."""
    with closing(open_run(path)) as study:
        return read_run(study)


def package_versions() -> dict[str, str]:
    """Return what a reader needs to reproduce a run made now."""
    packages = {name: version(name) for name in ("torch", "optuna", "numpy", "scikit-learn")}
    return {"nas": version("nas-convnets"), "python": platform.python_version(), **packages}
