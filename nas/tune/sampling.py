"""Networks of an experiment as a list, for grid search and for a population."""

from pathlib import Path
from typing import Any

from nas.errors import ExperimentError
from nas.search.experiment import Experiment
from nas.tune.config import NETWORK, Config
from nas.tune.searcher import Searcher


def sample(experiment: Experiment | str | Path, n: int, space: Any = None) -> list[Config]:
    """Return n different networks inside the budget, drawn at random by the experiment's seed.

    Each is the value of "network" in a config: `param_space={"network": tune.grid_search(nas.tune.sample(experiment,
    4))}`. Raises ExperimentError where the space seems to hold fewer.
    """
    searcher = Searcher(experiment, space, sampler="random")
    configs: list[Config] = []
    for number in range(n):
        config = searcher.suggest(str(number))
        if not isinstance(config, dict):
            raise ExperimentError(f"the space seems to hold only {number} networks inside the budget, not {n}")
        configs.append(config[NETWORK])
    return configs
