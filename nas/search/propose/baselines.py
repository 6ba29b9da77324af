"""The baselines of an experiment: known networks, fitted to the task and the budget, to compare the front with.

They are trained with the recipe of the search and the seeds of its first trials, but are not trials of the search.
"""

from dataclasses import dataclass

from nas.errors import BudgetError, ExperimentError, GenomeError
from nas.genome.baselines import BASELINES, baseline
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.search.objectives import Budget
from nas.search.propose.scale_widths import scale_widths


@dataclass(frozen=True)
class FittedBaseline:
    """A baseline as it is trained: its widths times `factor`, 1 where it fits the budget as it is."""

    name: str
    factor: float
    graph: Graph

    @property
    def label(self) -> str:
        """Return its name, with the factor where there is one: `vgg_A, widths x 0.35`."""
        return self.name if self.factor == 1 else f"{self.name}, widths x {self.factor:.2g}"


def fit_baseline(name: str, task: Task, budget: Budget) -> FittedBaseline:
    """Return a baseline for this task, its widths scaled until it is below the budget's upper limits.

    Raises ExperimentError for an unknown name or a network that cannot read the task's images, and BudgetError when
    no width makes it fit.
    """
    if name not in BASELINES:
        try:
            baseline(name)
        except GenomeError as problem:
            raise ExperimentError(str(problem)) from None
    try:
        whole = BASELINES[name].graph(task)
        task.check(whole)
    except GenomeError as problem:
        raise ExperimentError(f"baseline {name} cannot be fitted to {task.name}: {problem}") from None
    found = scale_widths(whole, budget)
    if found is None:
        limits = ", ".join(f"{key} {value}" for key, value in budget.as_dict().items())
        raise BudgetError(f"baseline {name} cannot be scaled into the budget ({limits}); leave it out")
    return FittedBaseline(name, *found)
