"""An Optuna study with our objective: what is trained, what is pruned before, and what is left alone."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from optuna.trial import FixedTrial, TrialState
from torch import nn

import nas
from nas.errors import ExperimentError, RunError
from nas.genome import Graph, Task, Trial
from nas.model.module import module
from nas.optuna import Objective, graph_of_trial
from nas.optuna.in_process import SINGLE_THREAD
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.search.objectives import Budget, Range
from nas.search.store.stored_trial import StoredTrial
from nas.testing.samplers import BUDGET, small_space
from nas.training.data import Data, load_data
from nas.training.recipe import Recipe
from nas.training.score import Score
from nas.training.trainer import make_trainer, run_trainer

INSIDE = {"label": "a", "width": 8, "kernel": 3, "second": False}
OUTSIDE = {"label": "a", "width": 64, "kernel": 5, "second": True, "growth": 2.0}
threads: list[int] = []


def untrained(network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str) -> Iterator[Score]:
    """Errors that are made up from the seed, worse from network to network."""
    for epoch in range(1, recipe.epochs + 1):
        threads.append(torch.get_num_threads())
        random.random(), np.random.rand(), torch.rand(1)
        yield Score(epoch, min(1.0, 0.1 + seed / 100), train_loss=0.5)


def diverging(network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str) -> Iterator[Score]:
    yield Score(1, 0.5, loss=float("nan"))


def failing(network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str) -> Iterator[Score]:
    yield Score(1, 0.5)
    raise MemoryError("out of memory")


def experiment(**settings: Any) -> Experiment:
    fixed = {"name": "study", "space": "mixed", "data": "digits", "budget": BUDGET, "trainer": untrained}
    return Experiment(**{"objectives": ("error",), "recipe": Recipe(epochs=2), **fixed, **settings})


def enqueued(*choices: dict[str, Any], **arguments: Any) -> optuna.Study:
    """A study of these choices, one after the other."""
    study = optuna.create_study(**arguments)
    for each in choices:
        study.enqueue_trial(each)
    return study


def test_a_network_is_trained_and_described() -> None:
    study = enqueued(INSIDE)
    study.optimize(Objective(experiment(), small_space), n_trials=1)
    (trial,) = study.trials
    graph = graph_of_trial(trial)
    counted = nas.cost(graph)
    assert (trial.value, trial.intermediate_values) == (0.1, {1: 0.1, 2: 0.1})
    assert trial.user_attrs["params"] == counted.params
    assert trial.user_attrs["flops"] == 2 * counted.macs == 2 * trial.user_attrs["macs"]
    assert trial.constraints == Budget.excess(BUDGET, StoredTrial.of(trial).record)
    assert len(StoredTrial.of(trial).record.scores) == 2
    assert "class Net" in nas.source(graph)


def test_what_is_outside_or_known_is_pruned_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Graph] = []

    def noted(graph: Graph, training: bool) -> nn.Module:
        built.append(graph)
        return module(graph, training)

    monkeypatch.setattr("nas.optuna.objective.module", noted)
    study = enqueued(OUTSIDE, INSIDE, INSIDE | {"label": "b"})
    study.optimize(Objective(experiment(), small_space), n_trials=3)
    outside, first, second = study.trials
    assert [trial.state.name for trial in study.trials] == ["PRUNED", "COMPLETE", "PRUNED"]
    assert outside.constraints["params"] > 0 >= second.constraints["params"]
    assert {"genome", "fingerprint", "macs"} <= set(outside.user_attrs)
    assert second.user_attrs["duplicate_of"] == 1
    assert built == [graph_of_trial(first)]


def test_a_network_whose_training_failed_is_tried_again() -> None:
    study = enqueued(INSIDE, INSIDE)
    study.optimize(Objective(experiment(trainer=failing), small_space), n_trials=1, catch=(MemoryError,))
    study.optimize(Objective(experiment(), small_space), n_trials=1)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"]


def test_a_training_that_diverges_is_pruned() -> None:
    study = enqueued(INSIDE)
    study.optimize(Objective(experiment(trainer=diverging), small_space), n_trials=1)
    assert study.trials[0].state is TrialState.PRUNED
    assert study.trials[0].user_attrs["result"]["reason"] == "nan"


def test_the_pruner_sees_every_epoch_and_stops() -> None:
    study = enqueued(INSIDE, INSIDE | {"width": 9}, pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
    study.optimize(Objective(experiment(), small_space), n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert len(study.trials[1].intermediate_values) == 1


def test_several_objectives_are_a_tuple_and_not_reported() -> None:
    objectives = ("error", "params", "depth")
    study = enqueued(INSIDE, directions=["minimize"] * 3, pruner=optuna.pruners.ThresholdPruner(upper=0.0))
    study.optimize(Objective(experiment(objectives=objectives), small_space), n_trials=1)
    (trial,) = study.best_trials
    assert trial.values == [0.1, trial.user_attrs["params"], nas.cost(graph_of_trial(trial)).depth]


@pytest.mark.parametrize("directions", [["minimize"], ["minimize", "maximize"], ["minimize"] * 3])
def test_a_study_of_other_directions_is_refused(directions: Any) -> None:
    study = optuna.create_study(directions=directions)
    with pytest.raises(ExperimentError, match=r"objectives error, macs: use optuna.create_study\(directions="):
        study.optimize(Objective(experiment(objectives=("error", "macs")), small_space), n_trials=1)


def test_choices_without_a_network_are_pruned() -> None:
    def two_classes(trial: Trial, task: Task) -> Graph:
        return small_space(trial, replace(task, classes=2))

    study = optuna.create_study()
    study.optimize(Objective(experiment(), two_classes), n_trials=1)
    assert study.trials[0].state is TrialState.PRUNED
    with pytest.raises(RunError, match="trial 0 has no network"):
        graph_of_trial(study.trials[0])


def test_the_best_trial_is_trained_again_outside_of_its_study() -> None:
    study = enqueued(INSIDE)
    objective = Objective(experiment(), small_space)
    study.optimize(objective, n_trials=1)
    assert objective(study.best_trial) == objective(FixedTrial(INSIDE)) == 0.1  # type: ignore[arg-type]


def test_the_error_is_that_of_a_search_to_the_bit() -> None:
    asked = load_experiment("quickstart", {"recipe.epochs": 2, "objectives": ["error"], "seed": 3})
    study = enqueued({"label": "a", "width": 8, "kernel": 3, "second": False})
    study.optimize(Objective(asked, small_space), n_trials=1)
    (trial,) = study.trials
    network, seed = module(graph_of_trial(trial)), asked.trial_seed(0)
    trainer = make_trainer("standard", network, load_data(asked.source), asked.recipe, seed, "cpu")
    assert trial.value == [score.error for score in run_trainer(trainer, 2)][-1]


def test_one_thread_per_training_and_afterwards_those_of_before() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        threads.clear()
        study = enqueued(*(INSIDE | {"width": width} for width in range(4, 12)), pruner=optuna.pruners.NopPruner())
        study.optimize(Objective(experiment(), small_space), n_trials=4)
        assert (set(threads), torch.get_num_threads()) == ({1}, 2)
        study.optimize(Objective(experiment(), small_space), n_trials=4, n_jobs=2)
        assert (set(threads), torch.get_num_threads(), len(threads)) == ({1}, 2, 16)
    finally:
        torch.set_num_threads(before)


def test_threads_are_given_back_when_the_last_training_ends() -> None:
    before = torch.get_num_threads()
    seen: list[int] = []

    def other() -> None:
        with SINGLE_THREAD:
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())

    try:
        torch.set_num_threads(2)
        with SINGLE_THREAD:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            assert torch.get_num_threads() == 1
        assert (seen, torch.get_num_threads()) == ([1, 1], 2)
    finally:
        torch.set_num_threads(before)


def test_the_generators_of_the_process_are_left_alone() -> None:
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    drawn = random.random(), float(np.random.rand()), float(torch.rand(1))
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    study = enqueued(INSIDE)
    study.optimize(Objective(experiment(), small_space), n_trials=1)
    assert (random.random(), float(np.random.rand()), float(torch.rand(1))) == drawn


def test_optunas_logging_is_left_alone() -> None:
    code = """
import optuna
level, handlers = optuna.logging.get_verbosity(), list(optuna.logging.get_logger("optuna").handlers)
from nas.optuna import Objective, Within
asked = Objective("quickstart").experiment
study = optuna.create_study(directions=["minimize"] * 2, sampler=Within("quickstart", optuna.samplers.TPESampler()))
study.ask().suggest_int("own", 0, 9)
assert optuna.logging.get_verbosity() == level, level
assert optuna.logging.get_logger("optuna").handlers == handlers
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr


def test_a_budget_of_two_sides_is_a_constraint_each() -> None:
    budget = Budget(params=Range(min=500, max=12_000), macs=Range(max=10**9))
    study = enqueued(INSIDE)
    study.optimize(Objective(experiment(budget=budget), small_space), n_trials=1)
    assert set(study.trials[0].constraints) == {"params", "macs"}
