"""The results of a study: by principle, and the verdicts. Several run directories of one design add up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import log
from pathlib import Path

from nas.errors import ExperimentError
from nas.principles.claims.principle import Arm, Principle
from nas.principles.claims.setting import Setting
from nas.principles.judging.plan import Key, Plan, key_of
from nas.principles.judging.results import Result, Results
from nas.principles.judging.verdict import Verdict, verdicts
from nas.principles.study_file import PrincipleStudy, load_study
from nas.search.store.run import load_run
from nas.search.trial import TrialRecord


@dataclass(frozen=True)
class StudyResults:
    """A study of principles, the trainings recorded for it, and the run directory in which its page is written.

    others: run directories of the same design whose trainings are among them.
    """

    plan: Plan
    records: dict[Key, TrialRecord]
    path: Path
    others: tuple[Path, ...] = ()

    @property
    def study(self) -> PrincipleStudy:
        """Return the study."""
        return self.plan.study

    def results(self, principle: Principle) -> Results:
        """Return a principle's results, by arm and in the order of settings."""
        settings = self.plan.arms[principle.key]
        return {name: [self._result(principle.arm(name), each.keys[name], each.setting) for each in settings]
                for name in principle.arms}  # fmt: skip

    def _result(self, arm: Arm, key: Key, setting: Setting) -> Result | None:
        """Return the result of a training; None when it has not ended, or failed for a reason outside the network.

        A diverged loss is a result: the error of guessing.
        """
        record = self.records.get(key)
        if record is None or (record.error is None and record.reason != "nan"):
            return None
        classes = setting.task.classes
        guessing = Result(100 - 100 / classes, log(classes), log(classes))
        return (guessing if record.error is None else Result.of(record.scores)).handicapped(arm.handicap)

    @cached_property
    def by_principle(self) -> dict[str, Results]:
        """Return the results of every principle by its key."""
        return {principle.key: self.results(principle) for principle in self.study.principles}

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Return a verdict for each principle."""
        return verdicts(self.study.principles, self.by_principle, self.study.design)


def results_by_key(records: Sequence[TrialRecord]) -> dict[Key, TrialRecord]:
    """Return the records that hold a result, by what identifies their training; a diverged loss is a result."""
    ended = [record for record in records if record.error is not None or record.reason == "nan"]
    return {key_of(record): record for record in ended}


def read_results(path: Path, *others: Path) -> StudyResults:
    """Return the results of run directories, finished or not; the claims are those of all of them.

    Raises ExperimentError where they differ in how networks are drawn or trained, and RunError.
    """
    studies = {each: load_study(each) for each in (path, *others)}
    first = studies[path]
    for each, study in studies.items():
        _check_same(first, study, path, each)
    keys = dict.fromkeys(key for study in studies.values() for key in study.design.keys)
    whole = replace(first, design=replace(first.design, keys=tuple(keys)))
    records = {key: record for each in studies for key, record in results_by_key(load_run(each).records).items()}
    return StudyResults(Plan(whole), records, path, others)


def _check_same(one: PrincipleStudy, other: PrincipleStudy, path: Path, each: Path) -> None:
    designs = [replace(study.design, keys=()) for study in (one, other)]
    if designs[0] != designs[1]:
        raise ExperimentError(f"{path} and {each} differ in their table [principles]; only `keys` may differ")
    for name in ("recipe", "source", "seed", "trainer", "metric"):
        if getattr(one.experiment, name) != getattr(other.experiment, name):
            raise ExperimentError(f"{path} and {each} differ in `{name}`; their trainings do not add up")
