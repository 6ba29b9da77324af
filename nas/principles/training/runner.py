"""The training of what the claims need: each network and seed once, and only until a claim is decided.

The study in the run directory is a set of trained networks, shared by principles and populations. A resumed run
trains what is missing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from nas.principles.judging.misclassified import save_misclassified
from nas.principles.judging.plan import Key, Plan, PlannedTraining
from nas.principles.judging.power import count_claims
from nas.principles.judging.study_results import StudyResults, results_by_key
from nas.principles.judging.verdict import deciding_analysis
from nas.principles.study_file import PrincipleStudy, save_study
from nas.principles.training.evaluate import find_misclassified
from nas.search.experiment import Experiment
from nas.search.loop.clock import SearchClock
from nas.search.loop.search import final_state
from nas.search.store.create import create
from nas.search.store.run_files import exclusive_lock, trial_weights
from nas.search.store.study import Study
from nas.search.trial import TrialRecord
from nas.search.workers.executor import Executor, make_executor
from nas.search.workers.job import Job
from nas.search.workers.train_all import FailurePolicy, TrainedJob, train_all

ENOUGH = 5  # trainings, most of which fail, to stop the run


def begin_study(study: PrincipleStudy, path: Path, command: str) -> Study:
    """Make the run directory of a study of principles, or open the one with the same settings of training.

    Principles, numbers of seeds and margins may change when a run is resumed, because fingerprint and seed identify a
    training. Raises RunError.
    """
    trials = len(Plan(study).all_trainings())
    store = create(path, study.experiment.model_copy(update={"trials": trials}), command)
    with exclusive_lock(path):
        save_study(study, path, f"Run by: {command}")
    return store


@dataclass(frozen=True)
class TrainingStep:
    """A training that ended.

    done, left: trainings of this wave. seconds_left: estimated from the mean time so far with all workers busy.
    """

    training: PlannedTraining
    record: TrialRecord
    done: int
    left: int
    seconds_left: float


class Runner:
    """Trains a study of principles. Iterate over `steps` to run it; `stop` lets the running trainings finish.

    out_of_time: whether the study's time limit was reached before all was trained, which does the same.
    """

    def __init__(
        self, store: Study, study: PrincipleStudy, workers: Callable[[Experiment], Executor] = make_executor
    ) -> None:
        self.store, self.plan, self.stopping, self._workers = store, Plan(study), False, workers
        self.clock, self.out_of_time = SearchClock(store), False
        self._running: dict[int, tuple[PlannedTraining, TrialRecord]] = {}
        self._abandoned: dict[Key, TrialRecord] = {}  # by a driver that died; they keep their trial numbers

    def stop(self) -> None:
        """Start no more trainings."""
        self.stopping = True

    def steps(self) -> Iterator[TrainingStep]:
        """Yield each training that ends, wave by wave.

        Each interim analysis has a wave, for the principles that are not decided yet; the first includes the
        populations. A training that failed for a reason outside its network is repeated at the next analysis or when
        the run is resumed. Raises RunError when another driver holds the run, when the disk is full, or when most
        trainings fail with an error.
        """
        with self.store.held(), closing(self._workers(self.store.experiment)) as workers:
            self.clock.start()
            records = self.store.records()
            self._abandoned = {(r.fingerprint, r.seed): r for r in records if r.state == "running"}
            for number in range(len(self.plan.study.design.interim_seeds)):
                wave = self.wave(number)
                if number == 0:
                    wave |= self._missing(self.plan.population_trainings())
                yield from self._train(workers, wave)
                self.clock.beat(every=0)
                if self.stopping or self.out_of_time:
                    return

    def wave(self, number: int) -> dict[Key, PlannedTraining]:
        """Return the missing trainings of an interim analysis, for the principles not decided before it."""
        results = StudyResults(self.plan, results_by_key(self.store.records()), self.store.path)
        study = self.plan.study
        claims = count_claims(study.principles)
        undecided = [
            principle for principle in study.principles
            if deciding_analysis(principle, results.results(principle), study.design, claims) is None
        ]  # fmt: skip
        return self._missing(self.plan.wave(number, undecided))

    def _missing(self, trainings: Iterable[PlannedTraining]) -> dict[Key, PlannedTraining]:
        ended = results_by_key(self.store.records())
        missing: dict[Key, PlannedTraining] = {}
        for each in trainings:
            if each.key not in ended:
                missing.setdefault(each.key, each)
        return missing

    def _train(self, workers: Executor, wave: dict[Key, PlannedTraining]) -> Iterator[TrainingStep]:
        done, seconds, policy = 0, 0.0, FailurePolicy(self.store.path, ENOUGH)
        for trained in train_all(workers, self._jobs(wave.values()), policy, self.clock.beat):
            training, record = self._end(trained)
            done, seconds = done + 1, seconds + record.seconds
            left = len(wave) - done
            yield TrainingStep(training, record, done, left, left * seconds / done / self.store.experiment.workers)

    def _jobs(self, trainings: Iterable[PlannedTraining]) -> Iterator[Job]:
        """Yield a job for each training, recorded as running when it is taken; none once the run is to stop."""
        for training in trainings:
            self.out_of_time = not self.clock.seconds_left
            if self.stopping or self.out_of_time:
                return
            record = self._abandoned.pop(training.key, None) or self._begin(training)
            self._running[record.number] = training, record
            weights = trial_weights(self.store.path, record.number)
            yield Job.for_trial(self.store.experiment, record, weights)

    def _begin(self, training: PlannedTraining) -> TrialRecord:
        (code, seed), graph = training.key, training.graph
        record = TrialRecord.of(graph, seed, fingerprint=code, purpose=training.purpose)
        return replace(record, number=self.store.begin(record))

    def _end(self, trained: TrainedJob) -> tuple[PlannedTraining, TrialRecord]:
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
            self._replace_weights(record)
        self.store.end(record)
        return training, record

    def _replace_weights(self, record: TrialRecord) -> None:
        """Save which images the network misclassifies, and delete its weights: the seed reproduces them."""
        weights = trial_weights(self.store.path, record.number)
        images = find_misclassified(record.graph, weights, self.store.experiment.source)
        save_misclassified(self.store.path, record.number, images)
        weights.unlink()
