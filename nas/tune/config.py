"""What a trial of Ray Tune is told: the network under `network`, and what is laid over the recipe under `recipe`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from nas.errors import BudgetError, ExperimentError
from nas.genome.cost import cost
from nas.genome.genome_json import from_json
from nas.genome.graph import Graph
from nas.search.experiment import Experiment
from nas.search.experiment_file import validate_experiment
from nas.search.objectives import CountedNetwork
from nas.search.trial import TrialRecord
from nas.search.workers.job import Job, block_code, trainer_code
from nas.training.recipe import Recipe

NETWORK, RECIPE = "network", "recipe"  # keys of a config
Config = dict[str, Any]


def to_config(record: TrialRecord, experiment: Experiment) -> Config:
    """Return the config that trains a network. Raises ExperimentError where a worker could not import its blocks."""
    return {
        "genome": record.genome,
        "fingerprint": record.fingerprint,
        "choices": dict(record.choices),
        "seed": record.seed,
        "code": block_code(record.graph, experiment.space),
    }


def network_table(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the network of a config. Raises ExperimentError for a config without one."""
    table = config.get(NETWORK)
    if not isinstance(table, Mapping) or "genome" not in table:
        raise ExperimentError(
            f"the config has no {NETWORK!r}, found {', '.join(map(str, config)) or 'nothing'}: use nas.tune.Searcher "
            "as search_alg, or nas.tune.sample for grid_search"
        )
    return table


def laid_over(recipe: Recipe, changes: Mapping[str, Any], experiment: Experiment) -> Recipe:
    """Return a recipe with a config's changes laid over it. Raises ExperimentError for a wrong key or value."""
    if not changes:
        return recipe
    table = experiment.as_dict() | {"recipe": asdict(recipe) | dict(changes)}
    return validate_experiment(table, "config['recipe']").recipe


def to_job(config: Mapping[str, Any], experiment: Experiment) -> Job:
    """Return the job of a config. Raises ExperimentError, and GenomeError for a network that is none."""
    table = network_table(config)
    recipe = laid_over(experiment.recipe, config.get(RECIPE) or {}, experiment)
    return Job(
        number=0,
        genome=table["genome"],
        data=experiment.source,
        recipe=recipe,
        seed=int(table["seed"]),
        weights="",
        trainer=experiment.trainer,
        metric=experiment.metric,
        device=experiment.device,
        code=dict(table.get("code") or {}) | trainer_code(experiment.trainer),
    )


def checked_graph(genome: str, experiment: Experiment) -> CountedNetwork:
    """Return a network with its counts. Raises BudgetError for one outside the budget, GenomeError for none."""
    graph: Graph = from_json(genome)
    counted = CountedNetwork(graph, cost(graph))
    if why := experiment.budget.explain(counted):
        raise BudgetError(f"the network is {why}; it is not trained")
    return counted
