"""Population-based training of four networks: the learning rate and weight decay change while they train."""

import os

from ray import tune
from ray.tune.schedulers import PopulationBasedTraining

import nas
import nas.tune

if __name__ == "__main__":
    experiment = nas.Experiment(space="mixed", data="digits", budget={"macs": {"max": "1M"}}, recipe={"epochs": 8})
    rates = {"learning_rate": tune.loguniform(0.01, 0.5), "weight_decay": tune.loguniform(1e-5, 1e-3)}
    scheduler = PopulationBasedTraining(perturbation_interval=2, hyperparam_mutations={"recipe": rates})
    tuner = tune.Tuner(
        tune.with_resources(nas.tune.trainable(experiment), {"cpu": 0.5}),
        param_space={"network": tune.grid_search(nas.tune.sample(experiment, 4)), "recipe": rates},
        tune_config=tune.TuneConfig(metric="error", mode="min", scheduler=scheduler, trial_dirname_creator=str),
        run_config=tune.RunConfig(name="pbt", storage_path=os.path.abspath("tune"), verbose=0),
    )
    best = tuner.fit().get_best_result()
    print(f"error {best.metrics['error']:.4f} with", best.config["recipe"])
    print(nas.tune.network(best.checkpoint))
