"""The search: propose, train, record, until the total is reached."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nas.errors import RunError
from nas.genome.genome_json import to_json
from nas.search.experiment import Experiment
from nas.search.loop.halving import Halving
from nas.search.loop.queue import TrialQueue
from nas.search.pareto import front_of
from nas.search.store.log import Curves, log
from nas.search.store.study import Study
from nas.search.trial import State, TrialRecord, from_optuna, trial_folder
from nas.search.workers.executor import Executor, executor
from nas.training.recipe import Recipe
from nas.training.score import Score

MAX_ATTEMPTS = 3  # of a trial: how often its machine may be lost before it is held against the trial


@dataclass(frozen=True)
class Event:
    """Something to show: a trial `started`, `scored` an epoch, or `ended`.

    Or it was `lost` and will start again, or was stopped and is `waiting`, to be promoted or to end.
    """

    kind: str
    record: TrialRecord


class Search:
    """A search over one study. Pull `events` to make it go; `stop` lets the running trials finish."""

    def __init__(self, study: Study, workers: Callable[[Experiment], Executor] = executor) -> None:
        self._workers = workers
        self.study, self.stopping, self.exhausted = study, False, False
        self.fault = ""  # why the run stopped itself
        self.running: dict[int, TrialRecord] = {}
        self._lost: Counter[int] = Counter()  # machines, by trial
        self._ended: list[str] = []  # reasons

    def stop(self) -> None:
        """Start no more trials."""
        self.stopping = True

    def events(self) -> Iterator[Event]:
        """Run to the total, yielding what happens.

        Raises RunError when another driver holds the run, or when the study, or a trial's weights, cannot be written:
        what was in flight then is trained again by the next driver.
        """
        experiment = self.study.experiment
        with self.study.held():
            trials = self.study.trials()
            records = tuple(map(from_optuna, trials))
            self._agenda = TrialQueue(self.study, trials, records)
            self._front = front_of(records, experiment.objectives)
            self._halving = halving(experiment, records)
            if first := self._agenda.next():
                with closing(Curves(self.study.path)) as self._curves, closing(self._workers(experiment)) as workers:
                    yield from self._loop(workers, first)
            self.exhausted = self._agenda.exhausted

    def _loop(self, workers: Executor, waiting: TrialRecord | None) -> Iterator[Event]:
        while True:
            while workers.idle() and not self.stopping and (record := waiting or self._next()):
                waiting = None
                self.running[record.number] = record
                workers.submit(self._job(record))
                yield Event("started", record)
            if not self.running and (self.stopping or workers.idle()):
                yield from self._give_up(0)
                return
            for event in workers.events(0.25):
                heard = self._hear(event)
                if heard.kind == "scored" and self._outdone(heard.record):
                    workers.stop(heard.record.number)
                yield heard
            yield from self._give_up(self.study.experiment.workers)

    def _next(self) -> TrialRecord | None:
        return (self._halving and self._halving.promoted()) or self._agenda.next()

    def _give_up(self, most: int) -> Iterator[Event]:
        """End the stopped trials that need not wait any longer."""
        for record in self._halving.given_up(most) if self._halving else ():
            yield self._end(record, "stopped", "")

    def _outdone(self, record: TrialRecord) -> bool:
        """Whether successive halving gives a running trial up; known networks are always trained to the end."""
        return self._halving is not None and not record.baseline and self._halving.stops(record)

    def _job(self, record: TrialRecord) -> dict[str, object]:
        experiment = self.study.experiment
        weights = trial_folder(self.study.path, record.number) / "weights.safetensors"
        return job(experiment, experiment.recipe, record, record.number, record.seed, weights)

    def _hear(self, event: dict[str, Any]) -> Event:
        record = self.running[event["number"]]
        if event["kind"] == "score":
            return self._score(record, Score(**event["score"]))
        refuse_full_disk(event, self.study.path)
        if event["reason"] == "lost":
            self._lost[record.number] += 1
            if self._lost[record.number] < MAX_ATTEMPTS:
                return self._again(record)
        if event["reason"] == "stopped" and self._halving:
            self._halving.pause(self.running.pop(record.number))
            return Event("waiting", record)
        return self._end(record, event["reason"], event["detail"])

    def _score(self, record: TrialRecord, score: Score) -> Event:
        record = replace(record, scores=(*record.scores, score), seconds=score.seconds)
        self.running[record.number] = record
        if self.study.experiment.tracker:
            self._curves.scored(record)
        return Event("scored", record)

    def _again(self, record: TrialRecord) -> Event:
        del self.running[record.number]
        fresh = replace(record, scores=(), seconds=0.0)
        self._agenda.again(fresh)
        return Event("lost", fresh)

    def _end(self, record: TrialRecord, reason: str, detail: str) -> Event:
        state: State = "complete" if not reason else "pruned" if reason == "stopped" else "failed"
        record = replace(record, state=state, reason=reason, detail=detail)
        self.study.end(record)
        self.running.pop(record.number, None)
        self._agenda.tell(record)
        self._keep_front(record)
        log(self.study.path, record)
        self._curves.ended(record)
        self._check_health(reason, detail)
        return Event("ended", record)

    def _check_health(self, reason: str, detail: str) -> None:
        """A run in which most trials crash has a fault of its own: stop and say so."""
        self._ended.append(reason)
        errors = self._ended.count("error")
        if len(self._ended) >= 10 and 2 * errors > len(self._ended):
            self.stop()
            self.fault = f"{errors} of {len(self._ended)} trials failed with an error, the last: {detail}"

    def _keep_front(self, record: TrialRecord) -> None:
        """Weights stay for the trials on the front; those that fall off it can be trained again from their seed."""
        if record.error is None or record.baseline:
            return
        known = [*self._front, record]
        self._front = front_of(known, self.study.experiment.objectives)
        for fallen in (r for r in known if r not in self._front):
            shutil.rmtree(trial_folder(self.study.path, fallen.number), ignore_errors=True)


def halving(experiment: Experiment, records: tuple[TrialRecord, ...]) -> Halving | None:
    """Successive halving with what earlier trials reached, if the experiment asks for it."""
    if not experiment.halving:
        return None
    return Halving(experiment.objectives, experiment.recipe.epochs, experiment.halving, records)


def refuse_full_disk(event: Mapping[str, Any], path: Path) -> None:
    """A trial that found no room says nothing of its network, nor would the next. Raises RunError."""
    if event["reason"] == "disk":
        raise RunError(
            f"no room for the weights of trial {event['number']} in {path}: {event['detail']}. What was finished is "
            f"kept; make room and go on with: nas resume {path}"
        )


def job(
    experiment: Experiment, recipe: Recipe, record: TrialRecord, number: int, seed: int, weights: Path
) -> dict[str, object]:
    """What a worker needs to train one network."""
    return {
        "number": number,
        "genome": to_json(record.graph),
        "data": asdict(experiment.source),
        "recipe": asdict(recipe),
        "seed": seed,
        "device": experiment.device,
        "timeout": experiment.timeout,
        "memory_gb": experiment.memory_gb,
        "weights": str(weights),
    }
