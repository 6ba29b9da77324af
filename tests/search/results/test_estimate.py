"""What a run would take: from one network trained, by plain arithmetic."""

import pytest

from nas.errors import RunError
from nas.genome import Task
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.search.results import estimate as estimates
from nas.search.results.estimate import estimate_run, typical
from nas.search.space import load_space

TASK = Task("digits", (1, 8, 8), 10)


def question(**changes: object) -> Experiment:
    return load_experiment("quickstart", changes)


@pytest.mark.parametrize("fit", [False, True])
def test_the_network_timed_is_inside_and_in_the_middle(fit: bool) -> None:
    asked = question(fit=fit, **{"budget.macs.max": 500_000})
    found = typical(asked, load_space("mixed"), TASK)
    assert asked.budget.allows(found)
    assert (found.cost.macs > 400_000) == fit


def test_a_budget_that_nothing_meets_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="no network inside the budget was found to time"):
        typical(question(**{"budget.macs.max": 100}), load_space("mixed"), TASK, patience=20)


def test_the_run_is_scaled_by_trials_epochs_and_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "_timed", lambda *_: 2.0)
    found = estimate_run(question(trials=9, workers=2, **{"recipe.epochs": 10}), load_space("mixed"), TASK)
    assert found.seconds == 5 * 10 * 2.0
    assert found.weights == 9 * 4 * found.network.params
    assert 9 * 3_000 < found.study - 9 * 6_000 < 9 * 10_000


@pytest.mark.slow
def test_an_epoch_is_timed_by_training() -> None:
    found = estimate_run(question(trials=4), load_space("mixed"), TASK)
    assert 0 < found.epoch < 60


@pytest.mark.slow
def test_a_training_that_fails_is_one_message() -> None:
    with pytest.raises(RunError, match="the network timed ended with nan"):
        estimate_run(question(trials=4, **{"recipe.rate": 1e6}), load_space("mixed"), TASK)
