"""The training of what the claims need: each network and seed once, and only until a claim is decided.

The study in the run directory is a set of trained networks, shared by principles and populations. A resumed run
trains what is missing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from nas.errors import RunError
from nas.genome.cost import cost
from nas.principles.judging.misclassified import save_misclassified
from nas.principles.judging.plan import Key, Plan, Training
from nas.principles.judging.power import count_claims
from nas.principles.judging.study_results import StudyResults, results_by_key
from nas.principles.judging.verdict import deciding_analysis
from nas.principles.study_file import PrincipleStudy, save_study
from nas.principles.training.evaluate import find_misclassified
from nas.search.experiment import Experiment
from nas.search.loop.search import job, refuse_full_disk
from nas.search.store.create import create
from nas.search.store.run_files import exclusive_lock
from nas.search.store.study import Study
from nas.search.trial import TrialRecord, to_attributes, trial_folder
from nas.search.workers.executor import Executor, executor
from nas.training.score import Score

MAX_ERRORS = 5  # trainings that fail one after another from the first


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

    training: Training
    record: TrialRecord
    done: int
    left: int
    seconds_left: float


class Runner:
    """Trains a study of principles. Iterate over `steps` to run it; `stop` lets the running trainings finish."""

    def __init__(
        self, store: Study, study: PrincipleStudy, workers: Callable[[Experiment], Executor] = executor
    ) -> None:
        self.store, self.plan, self.stopping, self._workers = store, Plan(study), False, workers
        self._errors = 0.0  # in a row from the first training
        self._running: dict[int, tuple[Training, TrialRecord]] = {}
        self._abandoned: dict[Key, TrialRecord] = {}  # by a driver that died; they keep their trial numbers

    def stop(self) -> None:
        """Start no more trainings."""
        self.stopping = True

    def steps(self) -> Iterator[TrainingStep]:
        """Yield each training that ends, wave by wave.

        Each interim analysis has a wave, for the principles that are not decided yet; the first includes the
        populations. A training that failed for a reason outside its network is repeated at the next analysis or when
        the run is resumed. Raises RunError when another driver holds the run, or when the first trainings all fail
        with an error.
        """
        with self.store.held(), closing(self._workers(self.store.experiment)) as workers:
            records = self.store.records()
            self._abandoned = {(r.fingerprint, r.seed): r for r in records if r.state == "running"}
            for number in range(len(self.plan.study.design.interim_seeds)):
                wave = self.wave(number)
                if number == 0:
                    wave |= self._missing(self.plan.population_trainings())
                yield from self._train(workers, wave)
                if self.stopping:
                    return

    def wave(self, number: int) -> dict[Key, Training]:
        """Return the missing trainings of an interim analysis, for the principles not decided before it."""
        results = StudyResults(self.plan, results_by_key(self.store.records()), self.store.path)
        study = self.plan.study
        claims = count_claims(study.principles)
        undecided = [
            principle for principle in study.principles
            if deciding_analysis(principle, results.results(principle), study.design, claims) is None
        ]  # fmt: skip
        return self._missing(self.plan.wave(number, undecided))

    def _missing(self, trainings: Iterable[Training]) -> dict[Key, Training]:
        ended = results_by_key(self.store.records())
        missing: dict[Key, Training] = {}
        for each in trainings:
            if each.key not in ended:
                missing.setdefault(each.key, each)
        return missing

    def _train(self, workers: Executor, wave: dict[Key, Training]) -> Iterator[TrainingStep]:
        waiting, done, seconds = list(wave.values()), 0, 0.0
        while waiting or self._running:
            while waiting and workers.idle() and not self.stopping:
                self._begin(workers, waiting.pop(0))
            if self.stopping and not self._running:
                return
            for event in workers.events(0.25):
                training, record = self._handle_event(event)
                if record.state != "running":
                    self._check_health(record)
                    done, seconds = done + 1, seconds + record.seconds
                    left = len(waiting) + len(self._running)
                    each = seconds / done / self.store.experiment.workers
                    yield TrainingStep(training, record, done, left, left * each)

    def _begin(self, workers: Executor, training: Training) -> None:
        experiment, (code, seed) = self.store.experiment, training.key
        record = self._abandoned.pop(training.key, None)
        if record is None:
            number = self.store.begin(
                {}, {}, to_attributes(training.graph, code, seed, {}) | {"purpose": training.purpose}
            )
            record = TrialRecord(number, {}, training.graph, code, cost(training.graph), seed)
        self._running[record.number] = training, record
        weights = trial_folder(self.store.path, record.number) / "weights.safetensors"
        workers.submit(job(experiment, experiment.recipe, record, record.number, seed, weights))

    def _handle_event(self, event: dict[str, Any]) -> tuple[Training, TrialRecord]:
        training, record = self._running[event["number"]]
        if event["kind"] == "score":
            score = Score(**event["score"])
            record = replace(record, scores=(*record.scores, score), seconds=score.seconds)
            self._running[record.number] = training, record
            return training, record
        refuse_full_disk(event, self.store.path)
        reason = str(event["reason"])
        record = replace(record, state="failed" if reason else "complete", reason=reason, detail=str(event["detail"]))
        if not reason:
            self._replace_weights(record)
        self.store.end(record)
        del self._running[record.number]
        return training, record

    def _check_health(self, record: TrialRecord) -> None:
        """Stop when every training fails: then the run is at fault, not a network."""
        self._errors = self._errors + 1 if record.reason == "error" else -inf
        if self._errors >= MAX_ERRORS:
            raise RunError(f"the first {MAX_ERRORS} trainings failed, the last with: {record.detail:.200}")

    def _replace_weights(self, record: TrialRecord) -> None:
        """Save which images the network misclassifies, and delete its weights: the seed reproduces them."""
        weights = trial_folder(self.store.path, record.number) / "weights.safetensors"
        images = find_misclassified(record.graph, weights, self.store.experiment.source)
        save_misclassified(self.store.path, record.number, images)
        weights.unlink()
