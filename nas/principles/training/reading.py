"""What the trained networks of a run say: results by principle and by population, and the verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log, nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.principles.claims.population import Comparison, Population, compare
from nas.principles.claims.principle import Principle
from nas.principles.judging.results import Result, Results
from nas.principles.judging.verdict import Verdict, verdicts
from nas.principles.study_file import PrincipleStudy, saved
from nas.principles.training.misclassified import kept
from nas.principles.training.plan import Key, Plan
from nas.search.store.run import load_run
from nas.search.trial import TrialRecord


@dataclass(frozen=True)
class Reading:
    """A family of principles and the trainings recorded for it."""

    plan: Plan
    records: dict[Key, TrialRecord]
    path: Path

    @property
    def family(self) -> PrincipleStudy:
        return self.plan.family

    def result(self, key: Key) -> Result | None:
        """What came of a training; None when it has not ended or failed for no fault of the network's.

        A network whose loss diverged has answered, by guessing.
        """
        record = self.records.get(key)
        if record is None:
            return None
        if record.error is not None:
            return Result.of(record.scores, kept(self.path, record.number))
        classes = self.family.canvas.task.classes
        return Result(100 - 100 / classes, log(classes), log(classes)) if record.reason == "nan" else None

    def results(self, principle: Principle) -> Results:
        """A principle's results, by arm and in the order of seeds."""
        places = range(self.plan.looks(principle)[-1])
        return {arm: [self.result(self.plan.key(principle, arm, place)) for place in places] for arm in principle.arms}

    @cached_property
    def by_principle(self) -> dict[str, Results]:
        """The results of every principle."""
        return {principle.key: self.results(principle) for principle in self.family.principles}

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """A verdict for each principle."""
        return verdicts(self.family.principles, self.by_principle, self.family.design)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The populations compared."""
        return compare({each.key: self._errors(each) for each in self.plan.populations})

    def _errors(self, population: Population) -> dict[str, NDArray[np.float64]]:
        """By form, the errors of the draws in order; NaN where one is missing."""
        found: dict[str, list[float]] = {form: [] for form in population.arms}
        for number, forms in enumerate(self.plan.drawn[population.key]):
            for form, graph in forms.items():
                result = self.result(self.plan.drawn_key(graph, number))
                found[form].append(result.error if result else nan)
        return {form: np.array(errors) for form, errors in found.items()}


def by_key(records: Sequence[TrialRecord]) -> dict[Key, TrialRecord]:
    """The records that hold a result, by what their trainings are known by; a loss that diverged is one."""
    told = [record for record in records if record.error is not None or record.reason == "nan"]
    return {(record.fingerprint, record.seed): record for record in told}


def read_reading(path: Path) -> Reading:
    """The reading of a run directory, finished or not. Raises ExperimentError or RunError."""
    return Reading(Plan(saved(path)), by_key(load_run(path).records), path)
