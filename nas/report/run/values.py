"""The values of objectives, as tables and plots need them."""

from collections.abc import Iterable
from math import isfinite

from nas.search.experiment import Experiment
from nas.search.objectives import OBJECTIVES, exact_objectives
from nas.search.trial import TrialRecord


def value_of(name: str, record: TrialRecord) -> float | None:
    """Return the value of an objective; None if training did not measure it or it is not finite."""
    if not OBJECTIVES[name].exact and record.error is None:
        return None
    value = OBJECTIVES[name].of(record)
    if isinstance(value, int):
        return value  # exact, however large
    return float(value) if isfinite(value) else None


def values_of(names: Iterable[str], record: TrialRecord) -> dict[str, float | None]:
    """Return the values of objectives by name."""
    return {name: value_of(name, record) for name in names}


def plot_axes(experiment: Experiment) -> tuple[str, ...]:
    """Return the objectives that the error can be plotted against.

    The first is the second objective, or else a limited one, or else MACs; then all that are exact or minimized. Those
    that not every network has are among them where they are minimized or limited.
    """
    named = (*experiment.objectives, *experiment.budget)
    first = next(iter((*experiment.objectives[1:], *experiment.budget)), "macs")
    exact = [entry.name for entry in exact_objectives() if entry.name in named or not (entry.modeled or entry.obstacle)]
    return tuple(dict.fromkeys((first, *exact, *experiment.objectives[1:])))
