"""Frontier's own ways: what it weighs is counted, what it knows bounds its time."""

from nas.genome import Task
from nas.search.experiment_file import load_experiment
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
