"""The results of a run: by principle and by population, and the verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log, nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.principles.claims.population import Population
from nas.principles.claims.principle import Principle
from nas.principles.judging.comparison import PopulationComparison, compare_populations
from nas.principles.judging.misclassified import load_misclassified
from nas.principles.judging.plan import Key, Plan
from nas.principles.judging.results import Result, Results
from nas.principles.judging.verdict import Verdict, verdicts
from nas.principles.study_file import PrincipleStudy, load_study
from nas.search.store.run import load_run
from nas.search.trial import TrialRecord


@dataclass(frozen=True)
class StudyResults:
    """A study of principles, the trainings recorded for it, and its run directory."""

    plan: Plan
    records: dict[Key, TrialRecord]
    path: Path

    @property
    def study(self) -> PrincipleStudy:
        """Return the study."""
        return self.plan.study

    def result(self, key: Key) -> Result | None:
        """Return the result of a training; None when it has not ended, or failed for a reason outside the network.

        A diverged loss is a result: the error of guessing.
        """
        record = self.records.get(key)
        if record is None:
            return None
        if record.error is not None:
            return Result.of(record.scores, load_misclassified(self.path, record.number))
        classes = self.study.scale.task.classes
        return Result(100 - 100 / classes, log(classes), log(classes)) if record.reason == "nan" else None

    def results(self, principle: Principle) -> Results:
        """Return a principle's results, by arm and in the order of seeds."""
        seeds = range(self.plan.analysis_seeds(principle)[-1])
        return {arm: [self.result(self.plan.arm_key(principle, arm, i)) for i in seeds] for arm in principle.arms}

    @cached_property
    def by_principle(self) -> dict[str, Results]:
        """Return the results of every principle by its key."""
        return {principle.key: self.results(principle) for principle in self.study.principles}

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Return a verdict for each principle."""
        return verdicts(self.study.principles, self.by_principle, self.study.design)

    @cached_property
    def comparisons(self) -> list[PopulationComparison]:
        """Return the comparisons of the populations."""
        return compare_populations({each.key: self._errors(each) for each in self.plan.populations})

    def _errors(self, population: Population) -> dict[str, NDArray[np.float64]]:
        """Return the errors of the draws in order, by form; NaN where one is missing."""
        errors: dict[str, list[float]] = {form: [] for form in population.forms}
        for number, forms in enumerate(self.plan.draws[population.key]):
            for form, graph in forms.items():
                result = self.result(self.plan.draw_key(graph, number))
                errors[form].append(result.error if result else nan)
        return {form: np.array(values) for form, values in errors.items()}


def results_by_key(records: Sequence[TrialRecord]) -> dict[Key, TrialRecord]:
    """Return the records that hold a result, by what identifies their training; a diverged loss is a result."""
    ended = [record for record in records if record.error is not None or record.reason == "nan"]
    return {(record.fingerprint, record.seed): record for record in ended}


def read_results(path: Path) -> StudyResults:
    """Return the results of a run directory, finished or not. Raises ExperimentError or RunError."""
    return StudyResults(Plan(load_study(path)), results_by_key(load_run(path).records), path)
