"""Latency in a search: the model is learned where the search begins, and kept with the experiment in its run."""

from pathlib import Path

from nas.device.latency.fit_model import MAX_NETWORKS, learn_latency
from nas.device.latency.latency_model import LatencyModel
from nas.device.latency.make_provider import make_provider
from nas.device.latency.settings import LatencySettings
from nas.search.experiment import Experiment
from nas.search.objectives import LATENCY, Budget
from nas.search.propose.networks_to_measure import networks_to_measure
from nas.search.space import load_space
from nas.search.store.create import begun
from nas.search.store.study_view import run_experiment
from nas.training.data import task


def with_latency(experiment: Experiment, path: Path, networks: int = MAX_NETWORKS) -> Experiment:
    """Return an experiment with the model of latency that it needs; any other as it is.

    The model is the experiment's own, or that of the run in the directory, or one learned now from so many networks of
    the space inside the other limits. Raises LatencyError where they cannot be measured or found, and RunError for a
    damaged run.
    """
    if not experiment.uses_latency or experiment.latency_model:
        return experiment
    known = run_experiment(path).latency_model if begun(path) else None
    return experiment.with_latency_model(known or _learned(experiment, networks))


def _learned(experiment: Experiment, networks: int) -> LatencyModel:
    settings = experiment.latency or LatencySettings()
    others = Budget({name: limit for name, limit in experiment.budget.items() if name != LATENCY})
    space, images = load_space(experiment.space), task(experiment.source)
    graphs = networks_to_measure(space, images, networks, experiment.seed, others)
    return learn_latency(settings.provider, make_provider(settings), graphs)
