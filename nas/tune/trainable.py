"""The training of a network as a class Trainable of Ray Tune: one step is one epoch."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from ray import tune

from nas.api import as_experiment
from nas.errors import TrainingError
from nas.files import atomic_write
from nas.model.export import save_weights
from nas.search.experiment import Experiment
from nas.search.objectives import CountedNetwork
from nas.search.workers.job import Job
from nas.search.workers.worker import start_training
from nas.training.score import Score
from nas.training.trainer import run_trainer
from nas.tune.config import checked_graph, to_job

WEIGHTS, GENOME, STATE, PROGRESS = "weights.safetensors", "genome.json", "state.pt", "progress.json"


class NetworkTrainable(tune.Trainable):
    """Trains the network of a config as `experiment` says; `trainable` makes the class of an experiment."""

    experiment: Experiment

    def setup(self, config: dict[str, Any]) -> None:
        """Count the network, and begin its training.

        Raises BudgetError for a network outside the budget, before anything is built.
        """
        self.job: Job = to_job(config, self.experiment)
        self.counted: CountedNetwork = checked_graph(self.job.genome, self.experiment)
        self.network, self.trainer = start_training(self.job)
        self.scores = self._run(0)
        self.epoch = 0

    def _run(self, done: int) -> Iterator[Score]:
        return run_trainer(self.trainer, self.job.recipe.epochs, self.job.metric, done)

    def step(self) -> dict[str, Any]:
        """Train for an epoch and return its error, loss, counts and seconds. Raises TrainingError."""
        score = next(self.scores, None)
        if score is None:
            raise TrainingError("the trainer ended before the last epoch of the recipe")
        self.epoch = score.epoch
        counted, diverged = self.counted.cost, score.diverged
        return {
            "epoch": self.epoch,
            "error": 1.0 if diverged else score.error,
            "loss": score.loss,
            "train_loss": score.train_loss,
            "seconds": score.seconds,
            "params": counted.params,
            "macs": counted.macs,
            "flops": counted.flops,
            "diverged": diverged,
            "done": diverged or self.epoch >= self.job.recipe.epochs,
        }

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write the weights, the genome, and the state of training, which holds tensors and plain numbers only."""
        folder = Path(checkpoint_dir)
        save_weights(self.network, folder / WEIGHTS)
        atomic_write(folder / GENOME, self.job.genome)
        torch.save(self.trainer.state(), folder / STATE)
        atomic_write(folder / PROGRESS, json.dumps({"epoch": self.epoch}))

    def load_checkpoint(self, checkpoint_dir: str) -> None:  # type: ignore[override]
        """Go on from a checkpoint of this network. Raises TrainingError for one that does not fit."""
        folder = Path(checkpoint_dir)
        self.trainer.load(torch.load(folder / STATE, weights_only=True))
        self.epoch = int(json.loads((folder / PROGRESS).read_bytes())["epoch"])
        self.scores = self._run(self.epoch)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin the training of another config in this process."""
        self.setup(new_config)
        return True


def trainable(experiment: Experiment | str | Path, space: Any = None) -> type[NetworkTrainable]:
    """Return the class Trainable that trains the networks of an experiment, for `tune.Tuner`.

    A config has a network under "network", as `Searcher` and `sample` give it; what it has under "recipe" is laid over
    the experiment's recipe. Each step reports epoch, error, loss, train_loss, seconds, params, macs, flops (twice the
    MACs), diverged, and done after the last epoch. A trial trains on one thread. experiment: also a file or a name.
    Raises ExperimentError.
    """
    settings: Mapping[str, Any] = {"experiment": as_experiment(experiment, space=space), "__module__": "nas.tune.made"}
    return type("network", (NetworkTrainable,), dict(settings))
