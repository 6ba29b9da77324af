"""Networks on Ray Tune with a scheduler of one's choice, here ASHA, and its table of results."""

import os

from ray import tune
from ray.tune.schedulers import ASHAScheduler

import nas
import nas.tune

if __name__ == "__main__":
    experiment = nas.Experiment(space="mixed", data="digits", budget={"params": {"max": "50k"}}, recipe={"epochs": 9})
    tuner = tune.Tuner(
        tune.with_resources(nas.tune.trainable(experiment), {"cpu": 1}),
        tune_config=tune.TuneConfig(
            metric="error",
            mode="min",
            search_alg=nas.tune.Searcher(experiment, sampler="frontier"),
            scheduler=ASHAScheduler(max_t=9, grace_period=1, reduction_factor=3),
            num_samples=10,
            max_concurrent_trials=2,
            trial_dirname_creator=str,
        ),
        run_config=tune.RunConfig(name="asha", storage_path=os.path.abspath("tune"), verbose=0),
    )
    results = tuner.fit()
    table = results.get_dataframe().sort_values("error")
    print(table[["error", "params", "macs", "training_iteration"]].to_string(index=False))
    best = results.get_best_result()
    net = nas.tune.network(best.checkpoint)
    print(f"error {best.metrics['error']:.4f}, {sum(each.numel() for each in net.parameters()):,} parameters")
