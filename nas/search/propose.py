"""From a sampler's choices to networks worth training: inside the budget, and new.

Optuna samples in a study that lives in memory only; there a network outside the budget is told with its excess as
a constraint, at once, so that no worker waits and no record counts it. What is trained goes to the run's own study.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import optuna

from nas.errors import BudgetError, GenomeError
from nas.genome.choices import Space
from nas.genome.cost import Cost, cost
from nas.genome.graph import Graph
from nas.genome.identity import fingerprint
from nas.genome.task import Task
from nas.search.experiment import Experiment
from nas.search.study import Record

PATIENCE = 1_000  # proposals in a row without a new network inside the budget: the space is exhausted
WORST = 1.0  # the error told for a network that was never trained


@dataclass(frozen=True)
class Proposal:
    """A network to train and the choices that made it."""

    trial: Any  # the sampler's own
    choices: dict[str, Any]
    distributions: dict[str, Any]
    graph: Graph
    cost: Cost
    fingerprint: str


def sampler(experiment: Experiment, told: int) -> optuna.samplers.BaseSampler:
    """Optuna's sampler. Seeded by the experiment and by how much is told already: a resumed run must not repeat."""
    seed = (experiment.seed * 1_000_003 + told) % 2**32
    if experiment.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if experiment.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(population_size=max(8, min(50, experiment.trials // 3)), seed=seed)
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(5, min(20, experiment.trials // 4)))


class Proposer:
    """Asks the sampler until it names a network inside the budget that was not seen before."""

    def __init__(
        self, experiment: Experiment, space: Space, task: Task, trials: list[Any], records: tuple[Record, ...],
        ledger: Counter[str],
    ) -> None:  # fmt: skip
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.experiment, self.space, self.task, self.ledger = experiment, space, task, ledger
        minimize = [optuna.study.StudyDirection.MINIMIZE] * len(experiment.objectives)
        self.memory = optuna.create_study(directions=minimize, sampler=sampler(experiment, len(records)))
        self.errors: dict[str, float | None] = {}  # by fingerprint; None while in training, or failed
        for trial, record in zip(trials, records, strict=True):
            self.errors[record.fingerprint] = record.error
            if record.error is not None:
                self.memory.add_trial(
                    optuna.trial.create_trial(
                        values=self._values(record.error, record.cost), params=trial.params,
                        distributions=trial.distributions, constraints={"budget": self._excess(record.cost)},
                    )
                )  # fmt: skip

    def ask(self) -> Proposal | None:
        """The next network to train, or None when the space seems to hold no other inside the budget."""
        for _ in range(PATIENCE):
            trial = self.memory.ask()
            self.ledger["proposed"] += 1
            try:
                graph = self.space(trial, self.task)  # type: ignore[arg-type]
                self.task.check(graph)
            except GenomeError:
                self.ledger["no network"] += 1
                self.memory.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            counts = cost(graph)
            if excess := {name: over for name, over in self._limits(counts).items() if over > 0}:
                self.ledger[f"outside budget: {max(excess, key=lambda name: excess[name])}"] += 1
                self._tell(trial, WORST, counts)
                continue
            name = fingerprint(graph)
            if name in self.errors:
                self.ledger["duplicate"] += 1
                self._answer(trial, self.errors[name], counts)
                continue
            self.ledger["trained"] += 1
            self.errors[name] = None
            return Proposal(trial, dict(trial.params), dict(trial.distributions), graph, counts, name)
        return None

    def tell(self, proposal: Proposal, error: float | None) -> None:
        """How a proposal did; None when it failed."""
        self.errors[proposal.fingerprint] = error
        self._tell(proposal.trial, WORST if error is None else error, proposal.cost)

    def _answer(self, trial: Any, known: float | None, counts: Cost) -> None:
        """A network seen before is answered from the study; one still in training, or failed, says nothing."""
        if known is None:
            self.memory.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._tell(trial, known, counts)

    def _tell(self, trial: Any, error: float, counts: Cost) -> None:
        trial.set_constraint("budget", self._excess(counts))
        self.memory.tell(trial, self._values(error, counts))

    def _values(self, error: float, counts: Cost) -> list[float]:
        return [error if name == "error" else float(getattr(counts, name)) for name in self.experiment.objectives]

    def _limits(self, counts: Cost) -> dict[str, float]:
        return self.experiment.budget.excess(counts)

    def _excess(self, counts: Cost) -> float:
        return max(self._limits(counts).values(), default=-1.0)


@dataclass(frozen=True)
class Preflight:
    """What a sample of the space says before anything is trained."""

    drawn: int
    inside: int
    costs: tuple[Cost, ...]
    nearest: Cost
    binding: str  # the limit the nearest network still breaks, or comes closest to


def preflight(experiment: Experiment, space: Space, task: Task, draws: int = 400) -> Preflight:
    """Count a sample of the space: uniform draws and the low corner.

    Raises BudgetError when no network drawn is inside the budget, with the nearest and what binds, and GenomeError
    when the space cannot make a network for this task.
    """
    from nas.search.space import sample

    budget, costs, problem = experiment.budget, [], None
    for draw in range(draws + draws // 10):
        try:
            costs.append(cost(sample(space, task, experiment.seed * 7919 + draw, lowest=draw >= draws)))
        except GenomeError as caught:
            problem = caught
    if not costs:
        raise GenomeError(f"space {experiment.space} makes no network for task {task.name}: {problem}")
    nearest = min(costs, key=lambda counts: max(budget.excess(counts).values(), default=-1.0))
    excess = budget.excess(nearest)
    binding = max(excess, key=lambda name: excess[name], default="")
    inside = sum(budget.allows(counts) for counts in costs[:draws])
    if any(over > 0 for over in excess.values()):
        limit = budget.limits()[binding]
        side, end = ("at most", limit.max) if getattr(nearest, binding) > (limit.max or 0) else ("at least", limit.min)
        raise BudgetError(
            f"no network of space {experiment.space} was found inside the budget: of {len(costs)} drawn, the nearest "
            f"has {nearest.params:,} params and {nearest.macs:,} MACs. What binds is {binding}: {side} {end:,} asked, "
            f"{getattr(nearest, binding):,} found. Loosen budget.{binding} or choose another space"
        )
    return Preflight(draws, inside, tuple(costs[:draws]), nearest, binding)
