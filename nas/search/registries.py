"""The samplers, executors and trackers that an experiment may name; each is implemented above and imported on use.

Adding one is one entry here, or none: `sampler = "module:Class"` names one of a user's own; so does `executor`.
"""

from nas.registry import Plugin, Registry, outside_plugin

_SAMPLERS = "nas.search.propose.samplers"
_WORKERS = "nas.search.workers"

SAMPLERS: Registry[Plugin] = Registry("sampler", outside_plugin, former={"local": "local-search"})
"""A target is called with a `SamplerSetup` and returns a `Sampler`."""

SAMPLERS.register(Plugin("random", "uniform draws over the choices", f"{_SAMPLERS}.random:RandomSampler"))
SAMPLERS.register(Plugin("tpe", "Optuna's tree-structured Parzen estimator", f"{_SAMPLERS}.optuna:tpe"))
SAMPLERS.register(Plugin("nsga2", "Optuna's NSGA-II", f"{_SAMPLERS}.optuna:nsga2"))
SAMPLERS.register(Plugin("gp", "Optuna's Gaussian process; slow, for long trainings", f"{_SAMPLERS}.optuna:gp"))
SAMPLERS.register(
    Plugin("evolution", "regularized evolution over the choices", f"{_SAMPLERS}.evolution:evolve_choices")
)
SAMPLERS.register(
    Plugin("evolution-graphs", "regularized evolution by editing graphs", f"{_SAMPLERS}.evolution:evolve_graphs")
)
SAMPLERS.register(Plugin("local-search", "neighbors of the best networks", f"{_SAMPLERS}.local_search:LocalSearch"))
SAMPLERS.register(
    Plugin("frontier", "expected hypervolume improvement; costs exact, error modeled", f"{_SAMPLERS}.frontier:Frontier")
)

EXECUTORS: Registry[Plugin] = Registry("executor", outside_plugin)
"""A target is a class whose `for_experiment(experiment, count)` returns an `Executor` of so many workers."""

EXECUTORS.register(Plugin("local", "worker processes on this machine", f"{_WORKERS}.processes:ProcessPool"))
EXECUTORS.register(Plugin("ray", "actors on a Ray cluster", f"{_WORKERS}.ray_cluster:RayCluster"))

_TRACKERS = "nas.search.store.trackers"

TRACKERS: Registry[Plugin] = Registry("tracker")
"""A target is called with the run directory and the experiment's name, and returns a `Tracker`."""

TRACKERS.register(Plugin("tensorboard", "curves in RUN/tensorboard", f"{_TRACKERS}.tensorboard:TensorboardCurves"))
TRACKERS.register(Plugin("mlflow", "runs in RUN/mlflow.db", f"{_TRACKERS}.mlflow:MlflowRuns"))
TRACKERS.register(Plugin("wandb", "offline runs in RUN/wandb", f"{_TRACKERS}.wandb:WandbRuns"))
