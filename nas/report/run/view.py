"""What every section of the report reads: a run, ranked once."""

import shlex
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nas.report.run.frame import frame
from nas.report.run.hypervolume import SearchProgress, search_progress
from nas.report.run.values import plot_axes
from nas.report.text import between, clip, noun
from nas.search.experiment import Experiment
from nas.search.objectives import Budget
from nas.search.results.compare_errors import count_validation_images, error_interval
from nas.search.results.finalist_files import (
    Finalist,
    FinalistVariant,
    comparable,
    load_baselines,
    load_finalists,
    load_variants,
)
from nas.search.store.run import Run
from nas.search.trial import TrialRecord


@dataclass(frozen=True)
class View:
    """A run, its table, its front and its progress.

    complete: trials with a finite error. front: those of the front, by error. finalists: those trained again from
    several seeds, best first. best: the first finalist, or else the trial of lowest error, the cheaper of equals; None
    while no trial is complete. baselines: the known networks trained along with the search, by error. images: the
    number of validation images; None where the run does not record it. variants: finalists trained in another way.
    retrained: baselines trained as the finalists are.
    """

    run: Run
    table: pd.DataFrame
    complete: tuple[TrialRecord, ...]
    front: tuple[TrialRecord, ...]
    best: TrialRecord | None
    progress: SearchProgress | None
    finalists: tuple[Finalist, ...] = ()
    baselines: tuple[TrialRecord, ...] = ()
    images: int | None = None
    variants: tuple[FinalistVariant, ...] = ()
    retrained: tuple[Finalist, ...] = ()

    @property
    def experiment(self) -> Experiment:
        return self.run.experiment

    def noun(self, name: str) -> str:
        """Return a quantity as it is called in a sentence; `error` and `test_error` by the metric of the search."""
        titles = {"error": self.experiment.error_title, "test_error": self.experiment.test_title}
        return titles.get(name) or noun(name)

    @property
    def limits(self) -> Budget:
        return self.experiment.budget

    @property
    def abscissa(self) -> str:
        """The objective that plots show the error against."""
        return self.axes[0]

    @property
    def axes(self) -> tuple[str, ...]:
        """The objectives that the error can be plotted against, the abscissa first."""
        return plot_axes(self.experiment)

    @property
    def costs(self) -> tuple[str, ...]:
        """The objectives that short tables show: parameters, MACs, and all that are limited or minimized."""
        return tuple(dict.fromkeys(("params", "macs", *self.limits, *self.experiment.objectives[1:])))

    @property
    def argument(self) -> str:
        """The run directory as an argument of a command."""
        return shlex.quote(clip(self.run.path, 1_000))

    def finalist(self, record: TrialRecord) -> Finalist | None:
        """Return a trial as a finalist, or a baseline trained as one, if it is one."""
        return next((each for each in (*self.finalists, *self.retrained) if each.number == record.number), None)

    def error_of(self, record: TrialRecord) -> float | None:
        """Return the error of a network: of a finalist the mean over its seeds, else that of its one training."""
        finalist = self.finalist(record)
        return finalist.error if finalist else record.error

    def interval_text(self, record: TrialRecord) -> str:
        """Return the 95 % interval of a network's error; `-` if not known.

        Of a finalist it is over the seeds, else over the validation images.
        """
        finalist = self.finalist(record)
        if finalist:
            return between(finalist.low, finalist.high) if len(finalist.errors) > 1 else "-"
        interval = error_interval(self.run, record, self.images)
        return between(*interval) if interval else "-"

    def ordered(self) -> tuple[TrialRecord, ...]:
        """Return every trial, the best first, those without an error last."""
        return tuple(sorted(self.run.records, key=_rank))


def _rank(record: TrialRecord) -> tuple[Any, ...]:
    error = record.error
    known = error is not None and bool(np.isfinite(error))
    return (not known, error if known else 0.0, record.cost.macs, record.number)


def view_of(run: Run) -> View:
    """Return the view of a run, finished or not.

    Raises RunError when a file of the run is damaged, and for a study of principles.
    """
    table = frame(run.require_search())
    ranked = sorted(run.records, key=_rank)
    complete = tuple(r for r in ranked if not _rank(r)[0])
    members = set(table.loc[table["on_front"].astype(bool), "number"].tolist())
    front = tuple(r for r in complete if r.number in members)
    progress = search_progress(run.experiment, run.task.classes, complete)
    numbers = {record.number: record for record in complete}
    finalists = comparable(tuple(each for each in load_finalists(run.path) if each.number in numbers))
    best = numbers[finalists[0].number] if finalists else next(iter(complete), None)
    images, variants = count_validation_images(run), load_variants(run.path)
    retrained = tuple(each for each in load_baselines(run.path) if finalists and each.epochs == finalists[0].epochs)
    places = {each.number: place for place, each in enumerate(retrained)}  # before those that were trained once
    known = [record for record in run.baselines if not _rank(record)[0]]
    baselines = tuple(sorted(known, key=lambda record: (places.get(record.number, len(places)), _rank(record))))
    return View(run, table, complete, front, best, progress, finalists, baselines, images, variants, retrained)
