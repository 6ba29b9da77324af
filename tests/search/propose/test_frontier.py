"""Frontier's own ways: what it weighs is counted, what it knows bounds its time."""

import random

import numpy as np
import pytest

from nas.genome import Task
from nas.search.experiment_file import load_experiment
from nas.search.propose.candidate import make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.proposer import Proposer
from nas.search.propose.samplers.frontier import Frontier
from nas.search.space import load_space

TASK = Task("digits", (1, 8, 8), 10)


def search(trials: int, **changes: object) -> Proposer:
    asked = load_experiment("quickstart", {"sampler": "frontier", "trials": trials, **changes})
    proposer = Proposer(asked, load_space(asked.space), TASK)
    for _ in range(trials):
        proposal = proposer.ask()
        assert proposal is not None
        proposer.tell(proposal, 1 / (1 + proposal.cost.macs))
    return proposer


def test_candidates_are_counted_apart_from_proposals() -> None:
    ledger = search(7, **{"budget.macs.max": 300_000}).proposal_counts
    refused = sum(count for name, count in ledger.items() if name.startswith("candidate, "))
    assert 0 < ledger["candidate, outside budget: macs"] <= refused < ledger["candidates"]
    outcomes = sum(count for name, count in ledger.items() if not name.startswith(("candidate", "proposed")))
    assert outcomes == ledger["proposed"]


def test_what_is_learnt_from_is_bounded_and_holds_the_best_and_the_latest() -> None:
    sampler = search(7, objectives=["error"]).sampler
    assert isinstance(sampler, Frontier)
    sampler.max_learnt = 4
    learnt = [known.error for known in sampler.learnt_from()]
    errors = [known.error for known in sampler.known]
    assert len(learnt) == 4
    assert learnt[2:] == errors[-2:]
    assert min(errors) in learnt


def test_an_earlier_run_teaches_the_model_and_its_networks_may_be_trained_again() -> None:
    asked = load_experiment("quickstart", {"sampler": "frontier", "trials": 4, "objectives": ["error"]})
    proposer = Proposer(asked, load_space(asked.space), TASK)
    sampler = proposer.sampler
    assert isinstance(sampler, Frontier)
    rng = random.Random(0)
    drawn = [make_candidate(proposer.space, TASK, GuidedTrial(rng)) for _ in range(40)]
    inside = [each for each in drawn if asked.budget.allows(each)]
    for each in inside:  # errors of another scale than today's
        sampler.tell_earlier(each, (0.5 + 0.1 / (1 + each.cost.macs / 1e6),), "old")
    first = proposer.ask()
    assert first is not None
    assert proposer.proposal_counts["candidates"] > 0  # the model is asked at once
    assert first.cost.macs > sorted(each.cost.macs for each in inside)[len(inside) // 2]
    assert all(sampler.setup.is_new(each) for each in inside if each.graph != first.graph)


def test_errors_that_allow_no_model_are_counted_and_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.search.propose.samplers.posterior.Surrogate", _raise)
    counts = search(9).proposal_counts
    assert counts["candidate, no model"] > 0
    assert counts["trained"] == 9


def _raise(*_: object) -> None:
    raise np.linalg.LinAlgError("not positive definite")
