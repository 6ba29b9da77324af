"""From what an experiment names to a sampler."""

from typing import Any

from nas.errors import ExperimentError
from nas.registry import Plugin
from nas.search.propose.samplers.base import Sampler, SamplerSetup


def make_sampler(plugin: Plugin, setup: SamplerSetup) -> Sampler:
    """Return the sampler of a registry entry, which may be one of Optuna's, or a class of these.

    Raises ExperimentError where what it makes is not a sampler.
    """
    target = plugin.load()
    if hasattr(target, "sample_independent"):
        from nas.search.propose.samplers.optuna import OptunaSampler  # only where it is used: it imports Optuna

        made: Any = OptunaSampler(setup, target(seed=setup.seed) if isinstance(target, type) else target)
    else:
        made = target(setup)
    if not (callable(getattr(made, "ask", None)) and callable(getattr(made, "tell", None))):
        raise ExperimentError(
            f"sampler {plugin.name}: {plugin.target} makes {type(made).__name__}, without ask and tell"
        )
    sampler: Sampler = made
    return sampler
