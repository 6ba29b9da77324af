"""Optuna's samplers as ours: huge ranges without steps, and uniform draws where they lead to nothing new."""

import random
from dataclasses import replace

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.search.objectives import OBJECTIVES
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.samplers.base import SamplerSetup
from nas.search.propose.samplers.optuna import OptunaSampler
from nas.search.propose.samplers.optuna_trial import MAX_LISTED, OptunaTrial, listed_params
from nas.search.propose.samplers.stall import PATIENCE
from nas.search.registries import SAMPLERS
from nas.testing.samplers import BUDGET, TASK, small_space

SETUP = SamplerSetup(
    (OBJECTIVES["error"],),
    BUDGET,
    trials=20,
    fit=False,
    seed=0,
    peek=lambda trial: None,
    is_new=lambda candidate: True,
    count=lambda outcome: None,
)


def sampler(name: str = "tpe") -> OptunaSampler:
    made: OptunaSampler = SAMPLERS[name].load()(SETUP)
    return made


def drawn(seed: int = 0) -> Candidate:
    return make_candidate(small_space, TASK, GuidedTrial(random.Random(seed)))


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**12), st.integers(1, 10**6), st.integers(1, 12))
def test_an_answer_is_of_the_range_that_the_space_asked_for(low: int, span: int, step: int, digits: int) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    trial = OptunaTrial(optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask())
    trial.suggest_int("int", low, low + span - span % step, step=step)
    trial.suggest_int("log", 1, span, log=True)
    trial.suggest_float("float", 0.0, 1.0, step=float(f"1e-{digits}"))
    trial.suggest_categorical("list", ["a", "b"])
    assert all(each.allows(trial.params[name]) for name, each in trial.distributions.items())
    again = optuna.trial.create_trial(value=0.0, **listed_params(trial.params, trial.distributions))
    listed = [each for each in again.distributions.values() if isinstance(each, optuna.distributions.IntDistribution)]
    assert all((each.high - each.low) / each.step < MAX_LISTED for each in listed)


def test_a_range_may_grow_from_trial_to_trial(study: optuna.Study) -> None:
    for high in (MAX_LISTED // 2, 10**9, 7):
        assert 1 <= OptunaTrial(study.ask()).suggest_int("width", 1, high) <= high


def test_where_nothing_new_comes_it_draws_uniformly_until_something_does() -> None:
    asker, known, new = sampler(), drawn(0), drawn(1)
    asker.tell(asker.ask(), known, (0.5,))
    for _ in range(PATIENCE):
        trial = asker.ask()
        assert isinstance(trial, OptunaTrial)
        asker.tell(trial, known, (0.5,))
    count = len(asker.study.trials)
    for values in ((0.5,), None):
        trial = asker.ask()
        assert not isinstance(trial, OptunaTrial)
        asker.tell(trial, known, values)
    assert len(asker.study.trials) == count, "a duplicate is told twice"
    asker.tell(asker.ask(), new, (0.4,))
    assert len(asker.study.trials) == count + 1
    assert isinstance(asker.ask(), OptunaTrial)


@pytest.mark.parametrize("name", ["tpe", "nsga2", "evolution"])
def test_refusals_and_failures_are_nothing_new(name: str) -> None:
    asker = SAMPLERS[name].load()(SETUP)
    known = drawn(0)
    for seed in range(6):
        asker.tell(asker.ask(), drawn(seed), (0.5,))
    for told in (None, known, replace(known)):
        assert not asker.stall
        for _ in range(PATIENCE):
            asker.tell(asker.ask(), told, None)
        assert asker.stall
        asker.stall.fruitless = 0
