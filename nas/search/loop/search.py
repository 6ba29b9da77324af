"""The search: propose, train, record, until the total is reached."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

from nas.search.experiment import Experiment
from nas.search.loop.clock import SearchClock
from nas.search.loop.halving import Halving
from nas.search.loop.queue import TrialQueue
from nas.search.pareto import front_of
from nas.search.store.confusion import last_predictions, record_confusion
from nas.search.store.log import log
from nas.search.store.run_files import trial_folder, trial_weights
from nas.search.store.running_trials import RunningTrials
from nas.search.store.study import Study
from nas.search.store.study_view import search_trials
from nas.search.store.trackers.tracker import make_tracker
from nas.search.trial import Reason, State, TrialRecord
from nas.search.workers.executor import Executor, make_executor
from nas.search.workers.job import Event, Job, Progress
from nas.search.workers.train_all import POLL_SECONDS, FailurePolicy


@dataclass(frozen=True)
class SearchEvent:
    """A trial that `started`, `scored` an epoch, or `ended`.

    Or it was `lost` and will start again, or was stopped and is `waiting`, to be promoted or to end.
    """

    kind: Literal["started", "scored", "ended", "lost", "waiting"]
    record: TrialRecord


class Search:
    """A search over one study. Pull `events` to run it; `stop` lets the running trials finish.

    make_workers: returns the executor; exhausted: whether the space seems to hold no other network; fault: why the run
    stopped itself, or ""; out_of_time: whether the time limit is reached, which lets the running trials finish, too,
    and after the last event whether it ended the search before its total.
    """

    def __init__(self, study: Study, make_workers: Callable[[Experiment], Executor] = make_executor) -> None:
        self._make_workers = make_workers
        self.study, self.stopping, self.exhausted, self.fault = study, False, False, ""
        self.clock, self.out_of_time = SearchClock(study), False
        self.running: dict[int, TrialRecord] = {}

    def stop(self) -> None:
        """Start no more trials."""
        self.stopping = True

    def events(self) -> Iterator[SearchEvent]:
        """Run to the total and yield what happens.

        Raises RunError when another driver holds the run, or when the study, or a trial's weights, cannot be written:
        what was in flight then is trained again by the next driver.
        """
        experiment = self.study.experiment
        with self.study.held():
            trials = search_trials(self.study.stored())
            records = tuple([trial.record for trial in trials])
            self._queue = TrialQueue(self.study, trials)
            self._front = front_of(records, experiment.objectives)
            self._halving = make_halving(experiment, records)
            self._policy = FailurePolicy(self.study.path)
            self.clock.start()
            if self._may_start() and (first := self._queue.next()):
                self._curves = make_tracker(experiment, self.study.path)
                self._shown = RunningTrials(self.study.path)
                with closing(self._make_workers(experiment)) as workers:
                    yield from self._loop(workers, first)
                self._shown.clear()
            self.exhausted = self._queue.exhausted
            self.out_of_time = self.out_of_time and not self._queue.is_complete()

    def _loop(self, workers: Executor, waiting: TrialRecord | None) -> Iterator[SearchEvent]:
        while True:
            while workers.idle() and self._may_start() and (record := waiting or self._next()):
                waiting = None
                self.running[record.number] = record
                workers.submit(self._job(record))
                yield SearchEvent("started", record)
            if not self.running and (workers.idle() or not self._may_start()):
                yield from self._give_up(0)
                self.clock.beat(every=0)
                return
            self.clock.beat()
            self._shown.update(self.running)
            yield from [self._handle_event(event, workers) for event in workers.events(POLL_SECONDS)]
            yield from self._give_up(self.study.experiment.workers)

    def _may_start(self) -> bool:
        """Return whether another trial may start: not once the search is to stop, or its time is up."""
        self.out_of_time = self.out_of_time or not self.clock.seconds_left
        return not (self.stopping or self.out_of_time)

    def _next(self) -> TrialRecord | None:
        return (self._halving and self._halving.promoted()) or self._queue.next()

    def _give_up(self, max_waiting: int) -> Iterator[SearchEvent]:
        """End the stopped trials that need not wait any longer."""
        for record in self._halving.given_up(max_waiting) if self._halving else ():
            yield self._end(record, Reason.STOPPED)

    def _rungs(self, record: TrialRecord) -> tuple[int, ...]:
        """Return the rungs ahead of a trial; baselines are always trained to the end."""
        return () if self._halving is None or record.baseline else self._halving.rungs_ahead(record)

    def _job(self, record: TrialRecord) -> Job:
        """Return the job of a trial, in whose folder nothing is left of a training that was cut off."""
        weights = trial_weights(self.study.path, record.number)
        shutil.rmtree(weights.parent, ignore_errors=True)
        return replace(Job.for_trial(self.study.experiment, record, weights), rungs=self._rungs(record))

    def _handle_event(self, event: Event, workers: Executor) -> SearchEvent:
        record = self.running[event.number]
        if isinstance(event, Progress):
            scores = last_predictions((*record.scores, event.score))
            record = replace(record, scores=scores, seconds=event.score.seconds)
            self._answer(record, workers)
            return self._scored(record)
        if self._policy.retries(event):
            return self._again(record)
        if event.reason is Reason.STOPPED and self._halving:
            self._halving.pause(self.running.pop(record.number))
            return SearchEvent("waiting", record)
        if fault := self._policy.fault(event):
            self.stop()
            self.fault = fault
        return self._end(record, event.reason, event.detail)

    def _answer(self, record: TrialRecord, workers: Executor) -> None:
        """Tell a worker that waits at a rung whether to go on."""
        score = record.scores[-1]
        if self._halving and score.epoch in self._rungs(record) and not score.diverged:
            (workers.stop if self._halving.stops(record) else workers.proceed)(record.number)

    def _scored(self, record: TrialRecord) -> SearchEvent:
        self.running[record.number] = record
        self._curves.scored(record)
        return SearchEvent("scored", record)

    def _again(self, record: TrialRecord) -> SearchEvent:
        del self.running[record.number]
        fresh = replace(record, scores=(), seconds=0.0)
        self._queue.again(fresh)
        return SearchEvent("lost", fresh)

    def _end(self, record: TrialRecord, reason: Reason, detail: str = "") -> SearchEvent:
        record = replace(record, state=final_state(reason), reason=reason, detail=detail)
        record_confusion(self.study.path, record)
        self.study.end(record)
        self.running.pop(record.number, None)
        self._queue.tell(record)
        if self._halving:
            self._halving.end(record)
        self._keep_front(record)
        log(self.study.path, record)
        self._curves.ended(record)
        return SearchEvent("ended", record)

    def _keep_front(self, record: TrialRecord) -> None:
        """Keep weights for the trials on the front; those that fall off it can be trained again from their seed."""
        if record.error is None or record.baseline:
            return
        known = [*self._front, record]
        self._front = front_of(known, self.study.experiment.objectives)
        for fallen in (r for r in known if r not in self._front):
            shutil.rmtree(trial_folder(self.study.path, fallen.number), ignore_errors=True)


def final_state(reason: Reason) -> State:
    """Return the state of a trial that ended for a reason."""
    return "complete" if not reason else "pruned" if reason is Reason.STOPPED else "failed"


def make_halving(experiment: Experiment, records: tuple[TrialRecord, ...]) -> Halving | None:
    """Return successive halving with what earlier trials reached, if the experiment asks for it."""
    if not experiment.halving:
        return None
    return Halving(experiment.objectives, experiment.recipe.epochs, experiment.halving, records)
