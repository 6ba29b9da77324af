"""A sample of the space, counted before anything is trained."""

import random
from collections import Counter
from dataclasses import dataclass

from nas.errors import BudgetError, GenomeError
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.experiment import Experiment
from nas.search.objectives import OBJECTIVES, CountedNetwork, Network
from nas.search.propose.candidate import make_candidate, sample_network
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.fit_budget import BudgetFitter
from nas.search.propose.proposer import Proposer


@dataclass(frozen=True)
class Preflight:
    """A sample of a space, counted.

    networks: those drawn uniformly. inside: how many of them the budget allows. nearest: the one deepest inside, or
    least outside. binding: the limit that it comes closest to. refused: networks outside, by the limit exceeded most.
    """

    networks: tuple[Network, ...]
    inside: int
    nearest: Network
    binding: str
    refused: Counter[str]

    @property
    def drawn(self) -> int:
        """Return how many networks were drawn."""
        return len(self.networks)


def preflight(experiment: Experiment, space: Space, task: Task, draws: int = 400) -> Preflight:
    """Count a sample of the space: uniform draws and the low corner.

    Raises BudgetError when no network drawn is inside the budget, with the nearest and what binds, GenomeError when
    the space cannot make a network for this task, and ExperimentError when the sampler cannot be made.
    """
    Proposer(experiment.model_copy(update={"fit": False}), space, task)  # raises here where the sampler cannot be made
    budget = experiment.budget
    drawn, lowest = _sample(experiment, space, task, draws)
    known: list[Network] = [*drawn, *lowest]
    if experiment.fit and not any(map(budget.allows, known)):
        known += _moved_inside(experiment, space, task)
    nearest = min(known, key=lambda network: budget.worst(network)[1])
    binding, excess = budget.worst(nearest)
    if excess > 0:
        raise BudgetError(_nothing_inside(experiment, len(known), nearest, binding))
    outside = Counter(budget.worst(network)[0] for network in drawn if not budget.allows(network))
    return Preflight(tuple(drawn), sum(map(budget.allows, drawn)), nearest, binding, outside)


def _sample(
    experiment: Experiment, space: Space, task: Task, draws: int
) -> tuple[list[CountedNetwork], list[CountedNetwork]]:
    """Return uniform draws, and draws at the low end of every range."""
    drawn, lowest, problem = list[CountedNetwork](), list[CountedNetwork](), None
    for draw in range(draws + draws // 10):
        low = draw >= draws
        try:
            graph = sample_network(space, task, experiment.seed * 7919 + draw, lowest=low)
            (lowest if low else drawn).append(CountedNetwork.of(graph))
        except GenomeError as caught:
            problem = caught
    if not drawn:
        raise GenomeError(f"space {experiment.space} makes no network for task {task.name}: {problem}")
    return drawn, lowest


def _nothing_inside(experiment: Experiment, count: int, nearest: Network, binding: str) -> str:
    limit, obstacle = experiment.budget[binding], OBJECTIVES[binding].obstacle
    nearest_has = f"{nearest.cost.params:,} params and {nearest.cost.macs:,} MACs"
    if obstacle and (why := obstacle(nearest)):
        return (
            f"no network of space {experiment.space} has a {binding}: of {count} drawn, the nearest has {nearest_has}, "
            f"but {why}. Leave {binding} out of the budget and objectives, or choose another space"
        )
    found = experiment.budget.value(binding, nearest)
    few = limit.min is not None and found < limit.min
    side, end = ("at least", limit.min) if few else ("at most", limit.max)
    return (
        f"no network of space {experiment.space} was found inside the budget: of {count} drawn, the nearest has "
        f"{nearest_has}. The limit that binds is {binding}: {side} {end:,} asked, {found:,} found. Loosen "
        f"budget.{binding} or choose another space"
    )


def _moved_inside(experiment: Experiment, space: Space, task: Task, draws: int = 40) -> list[Network]:
    """Return networks that were outside and could be moved inside."""
    fitter, rng = BudgetFitter(space, task, experiment.budget, experiment.seed), random.Random(experiment.seed)
    found: list[Network] = []
    for _ in range(draws):
        try:
            fitted = fitter.fit(make_candidate(space, task, GuidedTrial(rng)))
        except GenomeError:
            continue
        found += [fitted] if fitted else []
    return found
