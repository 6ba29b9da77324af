"""What every part of the report reads of a run: taken once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nas.report.run.frame import frame
from nas.report.run.progress import Progress, progress
from nas.search.experiment import Experiment
from nas.search.objectives import Budget
from nas.search.results.finalists import Finalist, load_finalists
from nas.search.store.run import Run
from nas.search.trial import TrialRecord

COUNTS = ("macs", "params", "activations", "peak_bytes", "depth")


@dataclass(frozen=True)
class View:
    """A run, its table, its front and its progress.

    complete: trials with a finite error. front: those of the front, by error. finalists: those trained again from
    several seeds, best first. best: the first finalist, or else the trial of least error, the cheaper of equals; None
    while no trial is complete. baselines: the known networks trained beside the search, by error.
    """

    run: Run
    table: pd.DataFrame
    complete: tuple[TrialRecord, ...]
    front: tuple[TrialRecord, ...]
    best: TrialRecord | None
    progress: Progress | None
    finalists: tuple[Finalist, ...] = ()
    baselines: tuple[TrialRecord, ...] = ()

    @property
    def experiment(self) -> Experiment:
        return self.run.experiment

    @property
    def limits(self) -> Budget:
        return self.experiment.budget

    @property
    def abscissa(self) -> str:
        """The count that plots set error against: the second objective, or else a limited count, or else MACs."""
        exact = (objective.name for objective in self.experiment.objective_entries if objective.exact)
        return next(iter((*exact, *self.limits)), "macs")

    def ordered(self) -> tuple[TrialRecord, ...]:
        """Every trial, the best first, those without an error last."""
        return tuple(sorted(self.run.records, key=_rank))


def _rank(record: TrialRecord) -> tuple[Any, ...]:
    error = record.error
    known = error is not None and bool(np.isfinite(error))
    return (not known, error if known else 0.0, record.cost.macs, record.number)


def view(run: Run) -> View:
    """Read a run, finished or not."""
    table = frame(run)
    ranked = sorted(run.records, key=_rank)
    complete = tuple(r for r in ranked if not _rank(r)[0])
    members = set(table.loc[table["on_front"].astype(bool), "number"].tolist())
    front = tuple(r for r in complete if r.number in members)
    found = progress(run.experiment, run.task.classes, complete)
    numbers = {record.number: record for record in complete}
    finalists = tuple(finalist for finalist in load_finalists(run.path) if finalist.number in numbers)
    best = numbers[finalists[0].number] if finalists else next(iter(complete), None)
    known = tuple(record for record in sorted(run.baselines, key=_rank) if not _rank(record)[0])
    return View(run, table, complete, front, best, found, finalists, known)
