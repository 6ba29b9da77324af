"""Optuna's samplers, on a study in memory."""

import random
import warnings

import optuna

from nas.search.objectives import Vector
from nas.search.propose.candidate import Candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.samplers.base import SamplerSetup, SamplerTrial, vector
from nas.search.propose.samplers.optuna_trial import OptunaTrial, listed_params
from nas.search.propose.samplers.stall import Stall


class OptunaSampler:
    """One of Optuna's samplers.

    A network outside the budget is told at once, with its excess as a constraint; it takes no worker. Where nothing new
    comes of it any more, it is not asked until a uniform draw led to a new network.
    """

    def __init__(self, setup: SamplerSetup, sampler: optuna.samplers.BaseSampler) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        minimize = [optuna.study.StudyDirection.MINIMIZE] * len(setup.objectives)
        self.study = optuna.create_study(directions=minimize, sampler=sampler)
        self.objectives, self.budget = setup.objectives, setup.budget
        self.rng, self.stall = random.Random(setup.seed), Stall()
        measured = [each for each in setup.objectives if not each.exact]
        self.worst = [1.0 if each.upper_bound is None else each.upper_bound for each in measured]  # for the untrained

    def ask(self) -> GuidedTrial:
        return GuidedTrial(self.rng) if self.stall else OptunaTrial(self.study.ask())

    def tell(self, trial: SamplerTrial | None, candidate: Candidate | None, values: Vector | None) -> None:
        new = self.stall.tell(candidate, values)
        if not isinstance(trial, OptunaTrial):
            if new:
                self._add(candidate, values)
        elif candidate is None:
            self.study.tell(trial.asked, state=optuna.trial.TrialState.FAIL)
        else:
            trial.asked.set_constraint("budget", self.budget.worst(candidate)[1])
            self.study.tell(trial.asked, self._noted(values) or vector(self.objectives, candidate, tuple(self.worst)))

    def _noted(self, values: Vector | None) -> Vector | None:
        """Record the worst value of each objective without an upper bound."""
        if values is not None:
            seen = [value for value, each in zip(values, self.objectives, strict=True) if not each.exact]
            self.worst = [max(pair) for pair in zip(self.worst, seen, strict=True)]
        return values

    def _add(self, candidate: Candidate | None, values: Vector | None) -> None:
        if candidate is not None and values is not None:
            self.study.add_trial(
                optuna.trial.create_trial(
                    **listed_params(candidate.choices, candidate.distributions),
                    values=self._noted(values),
                    constraints={"budget": self.budget.worst(candidate)[1]},
                )
            )


def tpe(setup: SamplerSetup) -> OptunaSampler:
    """Return the tree-structured Parzen estimator (Bergstra et al. 2011), over choices together.

    Optuna estimates choices one by one when there are several objectives. `group` keeps to choices that are asked
    together, as a conditional space needs, and `constant_liar` keeps workers from one and the same network.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of `group`
        sampler = optuna.samplers.TPESampler(
            seed=setup.seed, n_startup_trials=setup.startup, multivariate=True, group=True, constant_liar=True
        )
    return OptunaSampler(setup, sampler)


def nsga2(setup: SamplerSetup) -> OptunaSampler:
    """Return NSGA-II (Deb et al. 2002), with at least five generations."""
    size = max(8, min(50, setup.trials // 5))
    return OptunaSampler(setup, optuna.samplers.NSGAIISampler(population_size=size, seed=setup.seed))


def gp(setup: SamplerSetup) -> OptunaSampler:
    """Return the Gaussian process. Near a second per proposal at 100 trials: for trials that take minutes."""
    return OptunaSampler(setup, optuna.samplers.GPSampler(seed=setup.seed, n_startup_trials=setup.startup))
