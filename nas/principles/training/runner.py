"""The training of what the claims need: each network once per setting, and nothing that is there already.

The study in the run directory is a set of trained networks, shared by principles. A resumed run trains what is missing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from nas.principles.judging.plan import Key, Plan, PlannedTraining, key_of
from nas.principles.judging.study_results import results_by_key
from nas.principles.study_file import save_study
from nas.principles.training.changes import record_changes
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


def begin_study(plan: Plan, path: Path, command: str) -> Study:
    """Make the run directory of a study of principles, or open the one with the same settings of training.

    Principles, numbers of settings and what is worth it may change when a run is resumed, because network, recipe and
    seed identify a training. The log keeps each change of the plan, and the page shows them. Raises RunError.
    """
    study = plan.study
    store = create(path, study.experiment.model_copy(update={"trials": len(plan.trainings)}), command)
    with exclusive_lock(path):
        record_changes(path, study, len(store.records()))
        save_study(study, path, f"Run by: {command}")
    return store


@dataclass(frozen=True)
class TrainingStep:
    """A training that ended.

    done, left: trainings of this call. seconds_left: estimated from the mean time so far with all workers busy.
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

    def __init__(self, store: Study, plan: Plan, workers: Callable[[Experiment], Executor] = make_executor) -> None:
        self.store, self.plan, self.stopping, self._workers = store, plan, False, workers
        self.clock, self.out_of_time = SearchClock(store), False
        self._running: dict[int, tuple[PlannedTraining, TrialRecord]] = {}
        self._abandoned: dict[Key, TrialRecord] = {}  # by a driver that died; they keep their trial numbers

    def stop(self) -> None:
        """Start no more trainings."""
        self.stopping = True

    def steps(self) -> Iterator[TrainingStep]:
        """Yield each training that ends, setting by setting.

        A training that failed for a reason outside its network is repeated when the run is resumed. Raises RunError
        when another driver holds the run, when the disk is full, or when most trainings fail with an error.
        """
        with self.store.held(), closing(self._workers(self.store.experiment)) as workers:
            self.clock.start()
            records = self.store.records()
            self._abandoned = {key_of(record): record for record in records if record.state == "running"}
            yield from self._train(workers, self.missing())
            self.clock.beat(every=0)

    def missing(self) -> dict[Key, PlannedTraining]:
        """Return the trainings that have no result yet."""
        ended = results_by_key(self.store.records())
        return {key: training for key, training in self.plan.trainings.items() if key not in ended}

    def _train(self, workers: Executor, missing: dict[Key, PlannedTraining]) -> Iterator[TrainingStep]:
        done, seconds, policy = 0, 0.0, FailurePolicy(self.store.path, ENOUGH)
        for trained in train_all(workers, self._jobs(missing.values()), policy, self.clock.beat):
            training, record = self._end(trained)
            done, seconds = done + 1, seconds + record.seconds
            left = len(missing) - done
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
            yield replace(Job.for_trial(self.store.experiment, record, weights), data=training.source)

    def _begin(self, training: PlannedTraining) -> TrialRecord:
        record = training.record
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
        trial_weights(self.store.path, record.number).unlink(missing_ok=True)  # the seed reproduces them
        self.store.end(record)
        return training, record
