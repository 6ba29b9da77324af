"""A ready Tuner of an experiment."""

import os
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler

from nas.api import as_experiment
from nas.search.experiment import Experiment
from nas.search.loop.halving import rungs
from nas.search.store.create import on_this_machine
from nas.search.store.earlier_facts import EarlierTrials
from nas.tune.searcher import Searcher
from nas.tune.trainable import trainable

FOLDER = "tune"  # in the storage path of the command line
MAX_FAILURES = 2  # that a trial is started again after, from its last epoch


def tuner(
    experiment: Experiment | str | Path,
    space: Any = None,
    storage_path: str | Path | None = None,
    name: str | None = None,
    callbacks: list[tune.Callback] | None = None,
    earlier: EarlierTrials | None = None,
) -> tune.Tuner:
    """Return the Tuner of an experiment: `tuner(experiment).fit()`.

    It proposes with `Searcher`, trains with `trainable`, stops early with ASHA where the experiment has `halving`, has
    `workers` trials at a time with `cpus_per_trial` and `gpus_per_trial` each, and keeps a checkpoint of each trial's
    last epoch. storage_path: Tune's, by default ~/ray_results; the nodes of a cluster must share it. name: of the
    folder in it, by default the experiment's. earlier: as of `Searcher`. Raises ExperimentError.
    """
    experiment = on_this_machine(as_experiment(experiment, space=space))
    run = tune.RunConfig(
        name=name or experiment.name,
        storage_path=None if storage_path is None else os.path.abspath(storage_path),
        checkpoint_config=tune.CheckpointConfig(num_to_keep=3, checkpoint_frequency=1, checkpoint_at_end=True),
        failure_config=tune.FailureConfig(max_failures=MAX_FAILURES),
        callbacks=callbacks,
        verbose=0 if callbacks else 1,
    )
    return tune.Tuner(resourced(experiment), tune_config=tune_config(experiment, earlier), run_config=run)


def resourced(experiment: Experiment) -> Any:
    """Return the trainable of an experiment with what a trial of it takes."""
    gpus = experiment.gpus_per_trial if experiment.device == "cuda" else 0.0
    memory = {"memory": experiment.memory_gb * 2**30} if experiment.memory_gb else {}
    return tune.with_resources(trainable(experiment), {"cpu": experiment.cpus_per_trial, "gpu": gpus, **memory})


def tune_config(experiment: Experiment, earlier: EarlierTrials | None = None) -> tune.TuneConfig:
    """Return how trials of an experiment are proposed, stopped and counted."""
    return tune.TuneConfig(
        metric="error",
        mode="min",
        search_alg=Searcher(experiment, earlier=earlier),
        scheduler=_scheduler(experiment),
        num_samples=experiment.trials,
        max_concurrent_trials=experiment.workers,
        time_budget_s=experiment.time_limit,
        trial_dirname_creator=_folder,
    )


def _scheduler(experiment: Experiment) -> TrialScheduler:
    epochs = experiment.recipe.epochs
    first = rungs(epochs, experiment.halving)[:1] if experiment.halving else ()
    if not first or experiment.halving is None:
        return FIFOScheduler()  # type: ignore[no-untyped-call]
    return ASHAScheduler(max_t=epochs, grace_period=first[0], reduction_factor=experiment.halving)


def _folder(trial: Trial) -> str:
    """Return the name of a trial's folder, without its config, which holds a genome."""
    return f"network_{trial.trial_id}"


def can_restore(path: Path) -> bool:
    """Return whether a folder holds the state of an experiment."""
    return tune.Tuner.can_restore(str(path))


def restored(path: Path, experiment: Experiment) -> tune.Tuner:
    """Return the Tuner of an experiment that was interrupted: what was running goes on from its last epoch."""
    return tune.Tuner.restore(str(path), trainable=resourced(experiment), resume_unfinished=True)
