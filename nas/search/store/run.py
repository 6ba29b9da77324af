"""A snapshot of a run directory: read once, nothing held open."""

import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from nas.errors import ExperimentError, RunError, quoted
from nas.genome.task import Task
from nas.search.experiment import Experiment
from nas.search.store.data_facts import DataFacts
from nas.search.store.run_code import load_blocks, with_code
from nas.search.store.run_files import trial_weights
from nas.search.store.study_view import StudyView, open_view, own_trials, proposal_counts, search_trials
from nas.search.trial import TrialRecord
from nas.training.data import READERS, task


@dataclass(frozen=True)
class Run:
    """The trials of a search and what they were made with.

    records: trials of the search. baselines: known networks trained with the same recipe; none is among `records`.
    proposal_counts: proposals by outcome. command: that began the run. versions: of the packages it began with.
    data: the images it began with. moved: whether the caller says where they are now.
    seconds_used: time that drivers have worked on it; None where that is not recorded. foreign: trials in the study
    that other programs made, or ask for; they are passed over. refusals: why some of those were not trained.
    started_from: the trials of earlier runs that its sampler was told, counted by run.
    """

    path: Path
    experiment: Experiment
    records: tuple[TrialRecord, ...]
    proposal_counts: Mapping[str, int]
    command: str
    versions: dict[str, str]
    baselines: tuple[TrialRecord, ...] = ()
    data: DataFacts = field(default_factory=DataFacts)
    moved: bool = False
    seconds_used: float | None = None
    foreign: int = 0
    refusals: tuple[str, ...] = ()
    started_from: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        """Return the networks' task; read off the first network, so that no images are needed."""
        name, data = self.data.name or self.experiment.images, self.data
        if not self.records:
            known = Task(name, data.input, data.classes) if data.input and data.classes else None
            return known or replace(task(self.experiment.source), name=name)
        graph = self.records[0].graph
        return Task(name, graph.input, graph.nodes[graph.outputs[0]].shape[0])

    def require_search(self) -> "Run":
        """Return the run. Raises RunError for a study of principles: its errors are on several sets of images."""
        if not self.experiment.is_search:
            raise RunError(
                f"{self.path} holds a study of principles, whose networks are trained on several sets of images and "
                f"compared in pairs only; its page: nas principles {quoted(self.path)}"
            )
        return self

    def best(self) -> TrialRecord:
        """Return the complete trial of lowest validation error, the cheaper of equals.

        Raises RunError without one, and as `require_search`.
        """
        self.require_search()
        done = [record for record in self.records if record.error is not None]
        if not done:
            raise RunError(f"{self.path}: no trial is complete yet; continue with: nas resume {quoted(self.path)}")
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


def read_run(study: StudyView) -> Run:
    """Return the run of an open study. Raises RunError when the study is damaged."""
    command, made_with = study.origin()
    known = study.all_trials()
    refusals = tuple([trial.refusal for trial in known if trial.refusal])
    trials = own_trials(known)
    search = search_trials(trials)
    baselines = tuple([trial.record for trial in trials if trial.is_baseline])
    records = tuple([trial.record for trial in search])
    counts, data = dict(proposal_counts(search)), study.data_facts()
    return Run(
        study.path, study.experiment, records, counts, command, made_with, baselines, data,
        seconds_used=study.seconds_used(), foreign=len(known) - len(trials),
        refusals=refusals, started_from=Counter(each.source for each in study.earlier()),
    )  # fmt: skip


def load_run(path: Path | str, data_dir: Path | None = None, space: str | None = None) -> Run:
    """Return a snapshot of a run directory, finished or not, whose images are in `data_dir` now, if given.

    space: the file of the user's own space, or `file.py:function`, where this person has it. Raises RunError; with a
    folder DataError and ExperimentError as `check_data_dir`, with a space ExperimentError as `with_code`.
    """
    with open_view(Path(path)) as study:
        study.experiment = with_code(study.experiment, study.facts(), study.path, space)
        load_blocks(study.experiment)
        run = read_run(study)
    if data_dir is None:
        return run
    check_data_dir(run.experiment.data, data_dir)
    data = replace(run.data, name=run.data.name or run.experiment.images)
    experiment = run.experiment.model_copy(update={"data_dir": str(data_dir)})
    return replace(run, experiment=experiment, data=data, moved=True)


def check_data_dir(data: str, data_dir: Path) -> None:
    """Raise DataError when the files of a set are not in a folder, and ExperimentError when the set has none."""
    if not READERS.find(data).files(data_dir, "train"):
        raise ExperimentError(f"--data-dir does not apply to {data}: it has no files of its own")


def package_versions() -> dict[str, str]:
    """Return what a reader needs to reproduce a run made now."""
    packages = {name: version(name) for name in ("torch", "optuna", "numpy", "scikit-learn")}
    return {"nas": version("nas-convnets"), "python": platform.python_version(), **packages}
