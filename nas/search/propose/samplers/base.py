"""The one interface of all samplers, and the simple ones.

A sampler gives trials for the space to ask, and is told how each came out. It knows nothing of budgets but what it is
told: the proposer counts, refuses and remembers.
"""

import random
from collections.abc import Sequence
from typing import Any, Protocol

import optuna

from nas.genome.cost import Budget, Cost
from nas.search.experiment import Experiment
from nas.search.propose.choices import Candidate, Choices, GuidedTrial, neighbor

WORST = 1.0  # the error told to Optuna for a network that was never trained
Objectives = tuple[float, ...]


class Sampler(Protocol):
    """What the proposer needs of a sampler. After `ask`, others may be asked before the first is told."""

    def ask(self) -> Any:
        """A trial for the space to ask."""
        ...

    def tell(self, trial: Any, draft: Candidate | None, error: float | None) -> None:
        """How a trial came out.

        trial: one of `ask`; None of an earlier run's. draft: the network it led to, which is another than it chose
        where that was scaled to fit; None when it made none, or one that is still in training. error: None when it was
        refused or failed.
        """
        ...


def objectives(names: Sequence[str], error: float, counts: Cost) -> Objectives:
    """What is minimised, in order."""
    return tuple(error if name == "error" else float(getattr(counts, name)) for name in names)


class Random:
    """Uniform draws over the choices."""

    def __init__(self, experiment: Experiment, seed: int) -> None:
        self.rng = random.Random(seed)

    def ask(self) -> GuidedTrial:
        return GuidedTrial(self.rng)

    def tell(self, trial: Any, draft: Candidate | None, error: float | None) -> None:
        pass


class FromOptuna:
    """One of Optuna's samplers on a study that lives in memory.

    A network outside the budget is told at once, with its excess as a constraint: no worker waits for it.
    """

    def __init__(self, experiment: Experiment, sampler: optuna.samplers.BaseSampler) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        minimize = [optuna.study.StudyDirection.MINIMIZE] * len(experiment.objectives)
        self.study = optuna.create_study(directions=minimize, sampler=sampler)
        self.names, self.budget = experiment.objectives, experiment.budget

    def ask(self) -> optuna.Trial:
        return self.study.ask()

    def tell(self, trial: Any, draft: Candidate | None, error: float | None) -> None:
        if trial is None:
            self._add(draft, error)
        elif draft is None:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            trial.set_constraint("budget", excess(self.budget, draft.cost))
            self.study.tell(trial, objectives(self.names, WORST if error is None else error, draft.cost))

    def _add(self, draft: Candidate | None, error: float | None) -> None:
        if draft is not None and error is not None:
            self.study.add_trial(
                optuna.trial.create_trial(
                    params=draft.choices, distributions=draft.distributions,
                    values=objectives(self.names, error, draft.cost),
                    constraints={"budget": excess(self.budget, draft.cost)},
                )
            )  # fmt: skip


def excess(budget: Budget, counts: Cost) -> float:
    """The worst relative excess over a limit; at most 0 inside."""
    return max(budget.excess(counts).values(), default=-1.0)


def tpe(experiment: Experiment, seed: int) -> Sampler:
    """The tree-structured Parzen estimator (Bergstra et al. 2011), as Optuna has it."""
    startup = max(5, min(20, experiment.trials // 4))
    return FromOptuna(experiment, optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup))


def nsga2(experiment: Experiment, seed: int) -> Sampler:
    """NSGA-II (Deb et al. 2002)."""
    size = max(8, min(50, experiment.trials // 3))
    return FromOptuna(experiment, optuna.samplers.NSGAIISampler(population_size=size, seed=seed))


def gp(experiment: Experiment, seed: int) -> Sampler:
    """Optuna's Gaussian process. Near a second a proposal at 100 trials: for trials that take minutes."""
    startup = max(5, min(20, experiment.trials // 4))
    return FromOptuna(experiment, optuna.samplers.GPSampler(seed=seed, n_startup_trials=startup))


def beats(one: Objectives, other: Objectives) -> bool:
    """At least as good everywhere, better somewhere."""
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


class LocalSearch:
    """Local search: random neighbours of the best network, or of the front; a better one is the next to start from.

    Where PATIENCE neighbours in a row bring nothing better, it begins again from random draws.
    """

    PATIENCE = 100

    def __init__(self, experiment: Experiment, seed: int) -> None:
        self.names, self.rng = experiment.objectives, random.Random(seed)
        self.front: list[tuple[Objectives, Choices]] = []  # since the last beginning
        self.fruitless = 0

    def ask(self) -> GuidedTrial:
        if self.fruitless >= self.PATIENCE:
            self.front, self.fruitless = [], 0
        return neighbor(self.rng, self.rng.choice(self.front)[1]) if self.front else GuidedTrial(self.rng)

    def tell(self, trial: Any, draft: Candidate | None, error: float | None) -> None:
        self.fruitless += 1
        if draft is None or error is None:
            return
        mine = objectives(self.names, error, draft.cost)
        if not any(other == mine or beats(other, mine) for other, _ in self.front):
            kept = [(other, choices) for other, choices in self.front if not beats(mine, other)]
            self.front, self.fruitless = [*kept, (mine, draft.choices)], 0
