"""For a study of Optuna's that its user owns: an objective that trains networks, and samplers inside the budget.

>>> import optuna
>>> from nas.optuna import Objective, Within
>>> study = optuna.create_study(directions=["minimize", "minimize"], sampler=Within("quickstart", TPESampler()))
>>> study.optimize(Objective("quickstart"), n_trials=40)

Of the experiment, what says how a network is made and trained is used: space, data, budget, fit, recipe, trainer,
metric, objectives, seed and device. The rest is the study's: sampler, pruner, number of trials, storage, workers.
Optuna's logging is left as it is.
"""

from nas.optuna.objective import Objective, graph_of_trial
from nas.optuna.within import Within

__all__ = ["Objective", "Within", "graph_of_trial"]
