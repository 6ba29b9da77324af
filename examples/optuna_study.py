"""A study of Optuna's: SQLite, a pruner, and a search space in this script within a budget. Run it again for more."""

import optuna
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler

import nas
from nas.genome import Graph
from nas.genome.primitives import BatchNorm, Conv, GapHead, MaxPool, Relu
from nas.optuna import Objective, Within, graph_of_trial


def space(trial, task):
    x, width = task.image(), trial.suggest_int("width", 8, 48, step=8)
    for stage in range(2):
        x = MaxPool(2, 2)(x) if stage else x
        for _ in range(trial.suggest_int(f"depth{stage}", 1, 3)):
            x = Relu()(BatchNorm()(Conv(width, trial.suggest_categorical("kernel", [3, 5]))(x)))
        width = round(width * trial.suggest_float("growth", 1, 2.5, step=0.5))
    return Graph.of(GapHead(task.classes)(x))


limits = {"params": {"max": "50k"}, "macs": {"max": "1.5M"}}
experiment = nas.Experiment(space=space, data="digits", objectives=["error"], budget=limits, recipe={"epochs": 9})
study = optuna.create_study(
    sampler=Within(experiment, TPESampler(seed=0)), pruner=SuccessiveHalvingPruner(), direction="minimize",
    storage="sqlite:///study.db", study_name="digits", load_if_exists=True,
)  # fmt: skip
study.optimize(Objective(experiment), n_trials=20)
best = study.best_trial
print(f"trial {best.number}: error {best.value:.4f}, {best.user_attrs['params']:,} parameters, {best.params}")
with open("net.py", "w") as file:
    file.write(nas.source(graph_of_trial(best)))
