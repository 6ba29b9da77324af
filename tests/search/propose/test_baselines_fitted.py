"""Known networks beside a search: fitted to its budget, trained alike, counted apart."""

import pytest

from nas.errors import BudgetError, ExperimentError
from nas.genome import Task, cost, fingerprint
from nas.genome.baselines import baseline
from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.objectives import Budget, CountedNetwork, Range
from nas.search.propose.baselines import fit_baseline
from nas.search.store.create import create
from nas.search.store.run import Run, load_run

CIFAR = Task("cifar10", (3, 32, 32), 10)
DIGITS = Task("digits", (1, 8, 8), 10)


def test_a_baseline_that_fits_is_left_as_it_is() -> None:
    fitted = fit_baseline("cifar_resnet20", CIFAR, Budget(params=Range(max=300_000)))
    assert fitted.label == "cifar_resnet20"
    assert fingerprint(fitted.graph) == fingerprint(baseline("cifar_resnet20"))


def test_one_that_does_not_is_narrowed_no_further_than_it_must() -> None:
    budget = Budget(params=Range(max=100_000), macs=Range(max=30_000_000))
    fitted = fit_baseline("cifar_resnet20", CIFAR, budget)
    assert budget.allows(CountedNetwork.of(fitted.graph))
    assert 0.4 < fitted.factor < 1
    assert fitted.label == f"cifar_resnet20, widths x {fitted.factor:.2g}"
    assert cost(fitted.graph).params > 60_000


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ExperimentError, match="no baseline 'resnet5O'; did you mean"):
        fit_baseline("resnet5O", CIFAR, Budget())
    with pytest.raises(ExperimentError, match="baseline vgg_A cannot be fitted to digits: MaxPool"):
        fit_baseline("vgg_A", DIGITS, Budget())
    with pytest.raises(BudgetError, match="cannot be scaled into the budget"):
        fit_baseline("cifar_resnet20", DIGITS, Budget(params=Range(max=100)))


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two trials, then a baseline, then the same again with a third trial."""
    path = tmp_path_factory.mktemp("runs") / "arm"
    base = {"recipe.epochs": 1, "sampler": "random", "baselines": ["cifar_resnet20"], "workers": 1}
    for trials in (2, 3):
        question = load_experiment("quickstart", base | {"trials": trials})
        for _ in Search(create(path, question, "nas search quickstart")).events():
            pass
    return load_run(path)


@pytest.mark.slow
def test_baselines_are_trained_once_and_are_no_trials(searched: Run) -> None:
    assert [record.number for record in searched.records] == [0, 1, 3]
    (known,) = searched.baselines
    assert (known.number, known.state) == (2, "complete")
    assert known.baseline.startswith("cifar_resnet20, widths x")
    assert known.choices == {}
    assert searched.experiment.budget.allows(known)
    assert known.seed == searched.records[0].seed
    assert searched.proposal_counts["trained"] == 3
    assert searched.best() in searched.records
    assert searched.weights(known).is_file()
