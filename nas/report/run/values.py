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
    return value if isinstance(value, int) or isfinite(value) else None


def values_of(names: Iterable[str], record: TrialRecord) -> dict[str, float | None]:
    """Return the values of objectives by name."""
    return {name: value_of(name, record) for name in names}


def abscissa_of(experiment: Experiment) -> str:
    """Return what plots show the error against: the second objective, or else a limited count, or else MACs."""
    return next(iter((*experiment.objectives[1:], *experiment.budget)), "macs")


def plot_axes(experiment: Experiment) -> tuple[str, ...]:
    """Return what the error can be plotted against: the abscissa, every exact objective, every minimized one."""
    exact = [objective.name for objective in exact_objectives()]
    return tuple(dict.fromkeys((abscissa_of(experiment), *exact, *experiment.objectives[1:])))


def main_costs(experiment: Experiment, others: Iterable[str] = ("params", "macs")) -> tuple[str, ...]:
    """Return the objectives that short tables show: the given costs, and all that are limited or minimized."""
    return tuple(dict.fromkeys((*others, *experiment.budget, *experiment.objectives[1:])))
