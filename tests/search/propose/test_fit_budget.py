"""Budgets by construction: what is outside comes inside, near the limit that bound, as a network of the space."""

import random
from statistics import median

import pytest
from replay import FixedTrial

from nas.errors import BudgetError
from nas.genome import Task
from nas.search.experiment_file import load_experiment
from nas.search.objectives import Budget, Range
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.fit_budget import BudgetFitter
from nas.search.propose.preflight import preflight
from nas.search.propose.proposer import Proposer
from nas.search.space import load_space

TASK = Task("cifar10", (3, 32, 32), 10)
SMALL = Budget(params=Range(max=60_000), macs=Range(max=8_000_000))
NARROW = Budget(params=Range(64_000, 80_000), macs=Range(22_000_000, 28_000_000))


def drawn(space: str, count: int) -> list[Candidate]:
    rng = random.Random(1)
    return [make_candidate(load_space(space), TASK, GuidedTrial(rng)) for _ in range(count)]


def fitted(space: str, budget: Budget, count: int = 60) -> list[Candidate]:
    fitter = BudgetFitter(load_space(space), TASK, budget, 0)
    return [inside for one in drawn(space, count) if (inside := fitter.fit(one))]


@pytest.mark.parametrize("space", ["plain", "residual", "dense", "mixed", "cells", "mobile", "regnet", "shuffle"])
def test_what_is_scaled_is_inside_and_of_the_space(space: str) -> None:
    found = fitted(space, SMALL)
    assert len(found) > 20
    for one in found:
        assert SMALL.allows(one)
        assert load_space(space)(FixedTrial(one.choices), TASK) == one.graph


@pytest.mark.parametrize("space", ["plain", "mixed"])
def test_the_limit_that_bound_is_nearly_used_up(space: str) -> None:
    used = [max(one.cost.params / 60_000, one.cost.macs / 8e6) for one in fitted(space, SMALL)]
    assert median(used) >= 0.9


def test_both_ends_of_two_ranges_at_once() -> None:
    found = fitted("mixed", NARROW)
    assert len(found) > 36
    assert all(NARROW.allows(one) for one in found)
    assert sum(NARROW.allows(one) for one in drawn("mixed", 60)) < 6


def test_a_network_inside_stays_as_it_is_and_listed_choices_always_do() -> None:
    fitter = BudgetFitter(load_space("mixed"), TASK, SMALL, 0)
    for one in drawn("mixed", 40):
        inside = fitter.fit(one)
        if SMALL.allows(one):
            assert inside is one
        elif inside:
            assert all(inside.choices[name] == one.choices[name] for name in ("family1", "family2", "head"))


def test_what_cannot_fit_is_given_up() -> None:
    assert not fitted("mixed", Budget(params=Range(max=100)), 5)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe", "frontier"])
def test_a_search_that_fits_trains_only_what_is_inside_and_wastes_few_proposals(sampler: str) -> None:
    changes = {"fit": True, "sampler": sampler, "trials": 24, "budget.params.max": 20_000, "budget.macs.max": 400_000}
    asked = load_experiment("quickstart", changes)
    proposer = Proposer(asked, load_space("mixed"), Task("digits", (1, 8, 8), 10))
    found = []
    for _ in range(24):
        proposal = proposer.ask()
        assert proposal is not None
        assert asked.budget.allows(proposal)
        proposer.tell(proposal, 1 / (1 + proposal.cost.macs))
        found.append(proposal.fingerprint)
    assert len(set(found)) == 24
    assert proposer.proposal_counts["proposed"] < 48
    assert proposer.proposal_counts["trained, scaled to fit"] > 5


def test_preflight_refuses_a_budget_only_where_fitting_cannot_meet_it_either() -> None:
    narrow = {"budget.params.min": 39_000, "budget.params.max": 40_000, "budget.macs.min": 780_000,
              "budget.macs.max": 800_000}  # fmt: skip
    digits = Task("digits", (1, 8, 8), 10)
    with pytest.raises(BudgetError):
        preflight(load_experiment("quickstart", narrow), load_space("mixed"), digits)
    seen = preflight(
        load_experiment("quickstart", narrow | {"fit": True}),
        load_space("mixed"),
        digits,
    )
    assert seen.inside == 0
    assert sum(seen.refused.values()) == seen.drawn
    assert 39_000 <= seen.nearest.cost.params <= 40_000
