"""Any of Optuna's samplers inside a budget: every network inside, and none twice."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    CmaEsSampler,
    GPSampler,
    GridSampler,
    NSGAIIISampler,
    NSGAIISampler,
    PartialFixedSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import TrialState

from nas.errors import BudgetError, ExperimentError
from nas.genome import Graph, Task, Trial
from nas.genome.fingerprint import fingerprint
from nas.genome.primitives import Conv, GapHead
from nas.optuna import Within
from nas.search.experiment import Experiment
from nas.search.objectives import Budget, CountedNetwork, Range
from nas.testing.samplers import BUDGET, TASK, made_up_error, small_space

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed, n_startup_trials=4),
    "tpe, one by one": lambda seed: TPESampler(seed=seed, n_startup_trials=4, multivariate=False),
    "tpe, groups": lambda seed: TPESampler(seed=seed, n_startup_trials=4, multivariate=True, group=True),
    "nsga2": lambda seed: NSGAIISampler(seed=seed, population_size=4),
    "nsga3": lambda seed: NSGAIIISampler(seed=seed, population_size=4),
    "qmc": lambda seed: QMCSampler(seed=seed, warn_asynchronous_seeding=False, warn_independent_sampling=False),
}


def experiment(**settings: Any) -> Experiment:
    return Experiment(**{"name": "study", "space": "mixed", "data": "digits", "budget": BUDGET, **settings})


def steps(trial: Trial, task: Task) -> Graph:
    """Four networks, of 110 to 440 parameters."""
    return Graph.of(GapHead(task.classes)(Conv(trial.suggest_int("width", 10, 40, step=10), 1)(task.image())))


class Trained:
    """An objective of a user's own, which remembers the networks that it trained."""

    def __init__(self, space: Callable[[Trial, Task], Graph] = small_space, objectives: int = 1) -> None:
        self.space, self.objectives, self.networks = space, objectives, list[CountedNetwork]()

    def __call__(self, trial: optuna.Trial) -> float | tuple[float, ...]:
        network = CountedNetwork.of(self.space(trial, TASK))  # type: ignore[arg-type]
        self.networks.append(network)
        values = (made_up_error(network), float(network.cost.macs))
        return values if self.objectives == 2 else values[0]

    def check(self, count: int, budget: Budget = BUDGET) -> None:
        assert all(map(budget.allows, self.networks))
        assert len({fingerprint(network.graph) for network in self.networks}) == len(self.networks) == count


def study(sampler: BaseSampler, objectives: int = 1, **arguments: Any) -> optuna.Study:
    return optuna.create_study(directions=["minimize"] * objectives, sampler=sampler, **arguments)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


@settings(max_examples=20)
@given(st.sampled_from(sorted(SAMPLERS)), st.integers(0, 999), st.sampled_from([1, 2]), st.integers(2_000, 12_000))
def test_every_network_is_inside_and_new(name: str, seed: int, objectives: int, most: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.simplefilter("ignore", UserWarning)  # TPE with groups and two objectives
        budget = Budget(params=Range(max=most))
        trained = Trained(objectives=objectives)
        made = study(Within(experiment(budget=budget, seed=seed), SAMPLERS[name](seed), small_space), objectives)
        made.optimize(trained, n_trials=12)
    trained.check(12, budget)


def test_a_gaussian_process_whose_optimum_is_refused_goes_on_beside_it() -> None:
    trained = Trained()
    study(Within(experiment(), GPSampler(seed=0, n_startup_trials=4), small_space)).optimize(trained, n_trials=8)
    trained.check(8)


def test_cma_es() -> None:
    pytest.importorskip("cmaes")
    trained = Trained()
    study(Within(experiment(), CmaEsSampler(seed=0), small_space)).optimize(trained, n_trials=12)
    trained.check(12)


def test_threads_never_draw_one_network_twice() -> None:
    trained = Trained()
    study(Within(experiment(), RandomSampler(seed=0), small_space)).optimize(trained, n_trials=16, n_jobs=4)
    trained.check(16)


def test_a_study_goes_on_in_another_process_without_repeating_itself(tmp_path: Path) -> None:
    place: Any = {"storage": f"sqlite:///{tmp_path}/study.db", "study_name": "mine", "load_if_exists": True}
    trained = Trained()
    for _ in range(2):
        sampler = Within(experiment(), RandomSampler(seed=0), small_space)
        study(sampler, **place).optimize(trained, n_trials=5)
    trained.check(10)


def test_steps_finer_than_optunas_tolerance() -> None:
    def fine(trial: Trial, task: Task) -> Graph:
        width = round(trial.suggest_float("width", 10.0, 60.0, step=1e-9))
        return Graph.of(GapHead(task.classes)(Conv(width, 1)(task.image())))

    trained, budget = Trained(fine), Budget(params=Range(max=250))
    asked = experiment(budget=budget)
    study(Within(asked, RandomSampler(seed=0), fine)).optimize(trained, n_trials=8)
    trained.check(8, budget)


def test_under_hyperband_a_network_is_new_in_all_brackets() -> None:
    trained = Trained(steps)
    study(Within(experiment(), RandomSampler(seed=0), steps), pruner=optuna.pruners.HyperbandPruner()).optimize(
        trained, n_trials=4
    )
    trained.check(4)


@pytest.mark.parametrize("name", [*SAMPLERS, "brute force"])
def test_an_exhausted_space_ends_the_study(name: str) -> None:
    trained, sampler = Trained(steps), BruteForceSampler(seed=0) if name == "brute force" else SAMPLERS[name](0)
    made = study(Within(experiment(), sampler, steps, patience=200))
    made.optimize(trained, n_trials=50)
    trained.check(4)
    assert {trial.state for trial in made.trials[4:]} <= {TrialState.PRUNED}
    assert len(made.trials) <= 5


def test_without_a_loop_an_exhausted_space_prunes_the_trial() -> None:
    made = study(Within(experiment(), RandomSampler(seed=0), steps, patience=200))
    for _ in range(4):
        made.tell(trial := made.ask(), float(steps(trial, TASK).nodes[1].shape[0]))  # type: ignore[arg-type]
    with pytest.raises(optuna.TrialPruned, match="the space is exhausted"):
        made.ask().suggest_int("width", 10, 40, step=10)


def test_nothing_inside_is_an_error_that_names_the_limit() -> None:
    asked = experiment(budget=Budget(params=Range(max=100), macs=Range(max=10**9)))
    with pytest.raises(BudgetError, match=r"in 50 draws; the nearest is outside params by 20\.0%"):
        study(Within(asked, RandomSampler(), steps, patience=50)).optimize(Trained(steps), n_trials=1)


def test_an_enqueued_network_is_taken_as_it_is_and_a_part_of_one_is_completed() -> None:
    made, trained = study(Within(experiment(), RandomSampler(seed=0), small_space)), Trained()
    made.enqueue_trial({"label": "a", "width": 64, "kernel": 5, "second": True, "growth": 2.0})
    made.enqueue_trial({"width": 40, "kernel": 5})
    made.enqueue_trial({"width": 40, "kernel": 5})
    made.optimize(trained, n_trials=3)
    assert made.trials[0].params["growth"] == 2.0
    assert [trial.params["width"] for trial in made.trials[1:]] == [40, 40]
    trained.networks.pop(0)
    trained.check(2)


def test_a_choice_that_is_not_of_the_space_is_the_samplers() -> None:
    rates = []

    def objective(trial: optuna.Trial) -> float:
        rates.append(trial.suggest_float("rate", 0.1, 0.9))
        return float(Trained()(trial))  # type: ignore[arg-type]

    study(Within(experiment(), TPESampler(seed=0, n_startup_trials=4), small_space)).optimize(objective, n_trials=10)
    assert len(set(rates)) == 10


def test_a_network_outside_is_moved_inside_where_the_experiment_says_so() -> None:
    budget = Budget(params=Range(min=1_900, max=2_000))
    trained = Trained()
    asked = experiment(budget=budget, fit=True)
    study(Within(asked, RandomSampler(seed=0), small_space, patience=30)).optimize(trained, n_trials=6)
    trained.check(6, budget)


@pytest.mark.parametrize("fixed", [GridSampler, PartialFixedSampler])
def test_a_sampler_that_cannot_draw_again_is_refused(fixed: Any) -> None:
    sampler = fixed({"width": [10]}) if fixed is GridSampler else fixed({"width": 10}, RandomSampler())
    with pytest.raises(ExperimentError, match=f"{type(sampler).__name__} gives a trial one value only"):
        Within("quickstart", sampler)


def test_a_bundled_experiment_by_its_name() -> None:
    made = study(Within("quickstart", TPESampler(seed=0)), 2)
    assert str(made.sampler) == "Within(TPESampler)"
    assert made.ask().suggest_int("stem", 4, 32, step=4) % 4 == 0
