"""A trial of Optuna's that is asked for no more values of a range than its samplers can list."""

import random
from typing import Any

import optuna

from nas.genome.trial import Choice
from nas.search.distributions import Distribution, Distributions, OneOf, to_optuna
from nas.search.propose.choices import Choices, GuidedTrial
from nas.search.ranges import FloatRange, IntRange

MAX_LISTED = 10_000  # values; a Gaussian process lists all of them, and TPE finds no difference between two of more


class OptunaTrial(GuidedTrial):
    """A trial of Optuna's. A range of more values than MAX_LISTED is asked for as one without steps, and rounded."""

    def __init__(self, asked: optuna.Trial) -> None:
        super().__init__(random.Random(0))
        self.asked = asked

    def _value(self, name: str, distribution: Distribution) -> Choice:
        value = _suggest(self.asked, *_listed(name, distribution))
        return value if isinstance(distribution, OneOf) else distribution.nearest(value)


def listed_params(choices: Choices, distributions: Distributions) -> dict[str, Any]:
    """Return what a trial of these choices is made of for Optuna: `params` and `distributions`."""
    listed = {name: _listed(name, distribution) for name, distribution in distributions.items()}
    params = {key: _plain(choices[name], kind) for name, (key, kind) in listed.items()}
    return {"params": params, "distributions": {key: to_optuna(kind) for key, kind in listed.values()}}


def _listed(name: str, distribution: Distribution) -> tuple[str, Distribution]:
    """Return a choice whose values can be listed: itself, or a range without steps.

    That has a name of its own, because Optuna takes one kind of range under one name.
    """
    if isinstance(distribution, OneOf) or len(distribution.values) <= MAX_LISTED:
        return name, distribution
    return f"{name}, without steps", FloatRange(distribution.low, distribution.high, log=distribution.log)


def _plain(value: Choice, distribution: Distribution) -> Choice:
    return float(value) if isinstance(distribution, FloatRange) else value


def _suggest(trial: optuna.Trial, name: str, distribution: Distribution) -> Any:
    match distribution:
        case OneOf(values):
            return trial.suggest_categorical(name, values)
        case IntRange(low, high, step, log):
            return trial.suggest_int(name, low, high, step=step, log=log)
        case FloatRange(low, high, float_step, log):
            return trial.suggest_float(name, low, high, step=float_step, log=log)
