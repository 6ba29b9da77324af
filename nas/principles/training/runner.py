"""Training what the principles ask for: each network and seed once, whoever asks, and as few as decide the claims.

The study of the run directory is a set of trained networks; principles and populations are readings of it. A run that
is continued trains what is missing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from nas.genome.cost import cost
from nas.principles.judging.power import size
from nas.principles.judging.verdict import deciding
from nas.principles.study_file import PrincipleStudy, save
from nas.principles.training.misclassified import keep, wrong
from nas.principles.training.plan import Key, Plan, Training
from nas.principles.training.reading import Reading, by_key
from nas.search.experiment import Experiment
from nas.search.loop.search import final_state
from nas.search.store.create import create
from nas.search.store.run_files import exclusive_lock, trial_folder
from nas.search.store.study import Study
from nas.search.trial import TrialRecord
from nas.search.workers.executor import Executor, make_executor
from nas.search.workers.job import Job
from nas.search.workers.train_all import FailurePolicy, TrainedJob, train_all

ENOUGH = 5  # trainings, most of which fail, to stop the run


def begin(family: PrincipleStudy, path: Path, command: str) -> Study:
    """Make the run directory of a study of principles, or open the one that asks the same.

    What is asked of the networks' training may not change; principles, looks and margins may, since a training is
    known by what it is. Raises RunError.
    """
    trials = len(Plan(family).all())
    study = create(path, family.experiment.model_copy(update={"trials": trials}), command)
    with exclusive_lock(path):
        save(family, path, f"Run by: {command}")
    return study


@dataclass(frozen=True)
class Step:
    """A training that ended. done, left: trainings of this wave; left seconds at the speed so far, all workers busy."""

    training: Training
    record: TrialRecord
    done: int
    left: int
    seconds_left: float


class Runner:
    """Trains over one study. Pull `steps` to make it go; `stop` lets the running trainings finish."""

    def __init__(
        self, study: Study, family: PrincipleStudy, workers: Callable[[Experiment], Executor] = make_executor
    ) -> None:
        self.study, self.plan, self.stopping, self._workers = study, Plan(family), False, workers
        self._running: dict[int, tuple[Training, TrialRecord]] = {}
        self._abandoned: dict[Key, TrialRecord] = {}  # by a driver that died; they are trained under their own numbers

    def stop(self) -> None:
        """Start no more trainings."""
        self.stopping = True

    def steps(self) -> Iterator[Step]:
        """Train wave after wave: to each look, what is not decided before it, and after the first the populations.

        A training that failed for no fault of its network is tried again at the next look, or when the run goes on.
        Raises RunError when another driver holds the run, or when the first trainings all fail with an error.
        """
        with self.study.held(), closing(self._workers(self.study.experiment)) as workers:
            records = self.study.records()
            self._abandoned = {(r.fingerprint, r.seed): r for r in records if r.state == "running"}
            for number in range(len(self.plan.family.design.looks)):
                wave = self.wave(number)
                if number == 0:
                    wave |= self._missing(self.plan.draws())
                yield from self._train(workers, wave)
                if self.stopping:
                    return

    def wave(self, number: int) -> dict[Key, Training]:
        """The trainings that are missing at a look, of the principles that no look before it has decided."""
        reading = Reading(self.plan, by_key(self.study.records()), self.study.path)
        family = self.plan.family
        members = size(family.principles)
        open_ = [
            principle for principle in family.principles
            if deciding(principle, reading.results(principle), family.design, members) is None
        ]  # fmt: skip
        return self._missing(self.plan.wave(number, open_))

    def _missing(self, trainings: Iterable[Training]) -> dict[Key, Training]:
        ended = by_key(self.study.records())
        found: dict[Key, Training] = {}
        for each in trainings:
            if each.key not in ended:
                found.setdefault(each.key, each)
        return found

    def _train(self, workers: Executor, wave: dict[Key, Training]) -> Iterator[Step]:
        done, seconds, policy = 0, 0.0, FailurePolicy(self.study.path, ENOUGH)
        for trained in train_all(workers, self._jobs(wave.values()), policy):
            training, record = self._end(trained)
            done, seconds = done + 1, seconds + record.seconds
            left = len(wave) - done
            yield Step(training, record, done, left, left * seconds / done / self.study.experiment.workers)

    def _jobs(self, trainings: Iterable[Training]) -> Iterator[Job]:
        """A job for each training, recorded as running when it is taken; none once the run is to stop."""
        for training in trainings:
            if self.stopping:
                return
            record = self._abandoned.pop(training.key, None) or self._begin(training)
            self._running[record.number] = training, record
            weights = trial_folder(self.study.path, record.number) / "weights.safetensors"
            yield Job.for_trial(self.study.experiment, record, weights)

    def _begin(self, training: Training) -> TrialRecord:
        (code, seed), graph = training.key, training.graph
        record = TrialRecord(-1, {}, graph, code, cost(graph), seed, purpose=training.purpose)
        return replace(record, number=self.study.begin(record))

    def _end(self, trained: TrainedJob) -> tuple[Training, TrialRecord]:
        training, record = self._running.pop(trained.job.number)
        outcome, scores = trained.outcome, trained.scores
        record = replace(
            record,
            scores=scores,
            seconds=scores[-1].seconds if scores else 0.0,
            state=final_state(outcome.reason),
            reason=outcome.reason,
            detail=outcome.detail,
        )
        if not outcome.reason:
            self._answer(record)
        self.study.end(record)
        return training, record

    def _answer(self, record: TrialRecord) -> None:
        """Keep which images it got wrong, and not its weights: they can be trained again from the seed."""
        home = trial_folder(self.study.path, record.number)
        weights = home / "weights.safetensors"
        keep(self.study.path, record.number, wrong(record.graph, weights, self.study.experiment.source))
        weights.unlink()
