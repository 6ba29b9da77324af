"""A search space in this script on Ray Tune: depth and growth within 1.2 M FLOPs, a quarter of a GPU for each trial."""

import nas
import nas.tune
from nas.genome import Graph
from nas.genome.primitives import DenseBlock, GapHead, Stem, Transition


def space(trial, task):
    x = Stem(trial.suggest_int("stem", 8, 24, step=8))(task.image())
    growth = trial.suggest_int("growth", 4, 16, step=4)
    for stage in range(2):
        x = Transition(0.5)(x) if stage else x
        x = DenseBlock(growth, trial.suggest_int(f"depth{stage}", 1, 4), bottleneck=False)(x)
    return Graph.of(GapHead(task.classes)(x))


if __name__ == "__main__":
    experiment = nas.Experiment(
        name="growth", space=space, data="digits", budget={"flops": {"max": 1_200_000}}, sampler="frontier", trials=6,
        recipe={"epochs": 4}, device="auto", gpus_per_trial=0.25, workers=2,
    )  # fmt: skip
    results = nas.tune.tuner(experiment, storage_path="tune").fit()
    table = results.get_dataframe().sort_values("error")
    print(table[["error", "params", "flops"]].to_string(index=False))
    print(f"error {table['error'].min():.4f}, largest of {len(table)} networks: {table['flops'].max():,} FLOPs")
    print(nas.tune.keep(results, experiment, "runs/growth"))
