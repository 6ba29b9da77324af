"""The objective of a study: a trial's network is counted, checked and trained."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, cast

import optuna
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from nas.errors import ExperimentError, GenomeError, RunError
from nas.genome.graph import Graph
from nas.model.module import module
from nas.optuna.in_process import SINGLE_THREAD, kept_generators
from nas.optuna.setting import DUPLICATE, StudySetting, trials_with_network
from nas.search.experiment import Experiment
from nas.search.propose.candidate import make_candidate
from nas.search.propose.choices import AskedTrial
from nas.search.store.stored_trial import StoredTrial, to_attributes, to_result
from nas.search.trial import Reason, TrialRecord
from nas.search.workers.worker import seed_generators
from nas.training.data import load_data
from nas.training.device import best_device
from nas.training.metrics import METRICS
from nas.training.score import Score
from nas.training.trainer import find_trainer, make_trainer, run_trainer

_ENDS = {Reason.DIVERGED: "the training diverged", Reason.STOPPED: "stopped by the pruner"}


class StudyObjective:
    """What a study minimizes: `study.optimize(Objective("quickstart"), n_trials=40)`.

    experiment: an Experiment, or the name or path of one. space: a function of a trial and a task in place of the
    experiment's. The study has as many directions as the experiment has objectives, all "minimize".

    Of each trial the network is drawn and counted first: its attributes are genome, fingerprint, seed, cost, params,
    macs and flops, and each limit of the budget is a constraint, which is above 0 outside. A network outside the
    budget, one that another trial of the study has, and choices that make no network are pruned before anything is
    built. Then it is trained in this process, with one thread, whatever torch uses otherwise. With one objective each
    epoch is reported to the pruner; Optuna prunes no study of several. A training that diverges is pruned; what a
    trainer raises is raised, and `study.optimize(catch=...)` decides. After training, the attribute `result` has the
    scores of all epochs. The weights are not kept.

    With n_jobs=1 the scores are those that `nas search` gives a network of this seed. Threads share torch's generators,
    so with n_jobs=2 they vary. `timeout` and `memory_gb` are for worker processes and not kept here.

    Raises ExperimentError or DataError for an experiment that cannot be trained.
    """

    def __init__(self, experiment: Experiment | str | Path, space: Callable[..., Any] | None = None) -> None:
        setting = StudySetting.of(experiment, space)
        self.experiment, self.space, self.task = setting.experiment, setting.space, setting.task
        METRICS[self.experiment.metric].check_classes(self.task.classes)
        find_trainer(self.experiment.trainer)
        self.device = best_device() if self.experiment.device == "auto" else self.experiment.device
        self._lock = Lock()

    def __call__(self, trial: optuna.Trial) -> float | tuple[float, ...]:
        """Return the error after the last epoch, or the values of the experiment's objectives, in order.

        A FrozenTrial or FixedTrial is trained as well, for instance the best one again. Raises TrialPruned for a
        network that is not trained to the end, ExperimentError for a study of other directions, and what training
        raises.
        """
        study = getattr(trial, "study", None)
        if study is not None:
            self._check_directions(study)
        record = self._drawn(trial)
        self._admit(trial, record, study)
        record = self._trained(trial, record)
        values = record.vector(self.experiment.objectives)
        return values if len(values) > 1 else values[0]

    def _check_directions(self, study: Study) -> None:
        wanted, found = self.experiment.objectives, study.directions
        if len(found) != len(wanted) or set(found) != {StudyDirection.MINIMIZE}:
            names = ", ".join(direction.name.lower() for direction in found)
            raise ExperimentError(
                f"the study has directions {names}, the experiment the objectives {', '.join(wanted)}: use "
                f"optuna.create_study(directions={['minimize'] * len(wanted)}), or an experiment of other objectives"
            )

    def _drawn(self, trial: optuna.Trial) -> TrialRecord:
        """Return a trial's network, counted."""
        try:
            drawn = make_candidate(self.space, self.task, cast("AskedTrial", trial))
        except GenomeError as problem:
            raise optuna.TrialPruned(f"these choices make no network: {problem}") from None
        seed = self.experiment.trial_seed(trial.number)
        predicted = self.experiment.predictions(drawn.graph)
        known = {"cost": drawn.cost, "choices": drawn.choices, "predicted": predicted}
        return TrialRecord.of(drawn.graph, seed, trial.number, **known)

    def _admit(self, trial: optuna.Trial, record: TrialRecord, study: Study | None) -> None:
        """Describe a network in its trial. Raises TrialPruned where it is outside the budget or not new."""
        excesses, given = self.experiment.budget.excess(record), trial.constraints
        for name in [name for name in excesses if name not in given]:  # a trial that is repeated has them
            trial.set_constraint(name, excesses[name])
        counts = {"params": record.cost.params, "macs": record.cost.macs, "flops": 2 * record.cost.macs}
        kept = {name: value for name, value in to_attributes(record).items() if name != "ledger"}
        with self._lock:  # of two threads with one network, the second sees that of the first
            for name, value in (kept | counts).items():
                trial.set_user_attr(name, value)
            if why := self.experiment.budget.explain(record):
                raise optuna.TrialPruned(why)
            known = study.get_trials(deepcopy=False) if study else []
            for other in trials_with_network(known, but=trial.number):
                if other.user_attrs.get("fingerprint") == record.fingerprint:
                    trial.set_user_attr(DUPLICATE, other.number)
                    raise optuna.TrialPruned(f"the network of trial {other.number}")

    def _trained(self, trial: optuna.Trial, record: TrialRecord) -> TrialRecord:
        """Return a trial after its training. Raises TrialPruned where the pruner ends it, or it diverges."""
        scores: list[Score] = []
        reason = Reason.ERROR
        try:
            with SINGLE_THREAD, kept_generators():
                for score in self._scores(record):
                    scores.append(score)
                    reason = Reason.DIVERGED if score.diverged else self._told(trial, score)
                    if reason:
                        raise optuna.TrialPruned(f"{_ENDS[reason]} after epoch {score.epoch}")
        finally:
            seconds = scores[-1].seconds if scores else 0.0
            record = replace(record, scores=tuple(scores), seconds=seconds, reason=reason, state="complete")
            trial.set_user_attr("result", to_result(record))
        return record

    def _told(self, trial: optuna.Trial, score: Score) -> Reason:
        """Report an epoch where there is one objective, and return whether the pruner ends the trial."""
        if len(self.experiment.objectives) > 1:
            return Reason.NONE
        trial.report(score.error, score.epoch)
        return Reason.STOPPED if trial.should_prune() else Reason.NONE

    def _scores(self, record: TrialRecord) -> Iterator[Score]:
        asked = self.experiment
        seed_generators(record.seed)
        network, data = module(record.graph, training=True), load_data(asked.source)
        trainer = make_trainer(asked.trainer, network, data, asked.recipe, record.seed, self.device)
        return run_trainer(trainer, asked.recipe.epochs, asked.metric)


Objective = StudyObjective
"""The name by which it is public; inside the package an objective is a quantity, see nas.search.objectives."""


def graph_of_trial(trial: FrozenTrial) -> Graph:
    """Return the network of a trial, as of `study.best_trial`, for `nas.module` or `nas.source`.

    Raises RunError for a trial without one, or one that is damaged or needs code that is not loaded.
    """
    if "genome" not in trial.user_attrs:
        raise RunError(f"trial {trial.number} has no network: nas.optuna.Objective did not train it")
    return StoredTrial.of(trial).record.graph
