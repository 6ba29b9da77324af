"""Evolution over graphs: children of edits and crossovers, inside the budget, going on where others stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.genome import Task, cost
from nas.genome.edit import scale
from nas.search.experiment_file import load_experiment
from nas.search.loop.search import Search
from nas.search.objectives import Budget, CountedNetwork, Range
from nas.search.propose.candidate import sample_network
from nas.search.propose.proposer import Proposal, Proposer
from nas.search.propose.samplers.base import vector
from nas.search.propose.scale_widths import MIN_FACTOR, scale_widths
from nas.search.space import load_space
from nas.search.store.create import create
from nas.search.store.run import load_run

TASK = Task("digits", (1, 8, 8), 10)


def proposer(**changes: object) -> Proposer:
    settings = {"sampler": "evolution-graphs", "trials": 40, "objectives": ["error"]} | changes
    asked = load_experiment("quickstart", settings)
    return Proposer(asked, load_space(asked.space), TASK)


def error(proposal: Proposal) -> float:
    """To be learnt: skips are good, whichever way they are drawn."""
    return 1 / (2 + sum(str(node.op) == "Add()" for node in proposal.graph.nodes))


def evolve(asker: Proposer, count: int) -> list[Proposal]:
    found = []
    for _ in range(count):
        proposal = asker.ask()
        assert proposal is not None
        asker.tell(proposal, error(proposal))
        found.append(proposal)
    return found


def test_children_descend_from_what_was_trained_and_are_inside_and_new() -> None:
    asker = proposer()
    found = evolve(asker, 40)
    trained = {proposal.fingerprint for proposal in found}
    children = [proposal for proposal in found if proposal.candidate.parents]
    assert len(trained) == 40
    assert len(children) == 30
    assert all(set(child.candidate.parents) <= trained and not child.choices for child in children)
    assert {len(child.candidate.parents) for child in children} == {1, 2}
    assert all(asker.experiment.budget.allows(proposal) for proposal in found)


def test_what_is_learnt_shows() -> None:
    found = evolve(proposer(), 40)
    assert sum(map(error, found[20:])) < 0.8 * sum(map(error, found[:10])) * 2


def test_a_child_outside_is_narrowed_where_the_experiment_says_fit() -> None:
    asker = proposer(fit=True, **{"budget.macs.max": 300_000})
    found = evolve(asker, 30)
    assert asker.proposal_counts["trained, scaled to fit"] > 3
    assert all(proposal.cost == cost(proposal.graph) and proposal.cost.macs <= 300_000 for proposal in found)


@pytest.mark.parametrize("sampler", ["evolution-graphs", "evolution", "tpe", "nsga2", "local", "frontier"])
def test_any_sampler_goes_on_from_networks_without_choices(sampler: str) -> None:
    before = evolve(proposer(), 12)
    asker = proposer(sampler=sampler)
    for proposal in before:
        past, known = replace(proposal.candidate, parents=()), (error(proposal),)
        asker.measured[proposal.fingerprint] = known
        asker.sampler.tell(None, past, vector(asker.objectives, past, known))
    found = evolve(asker, 2)
    assert not {proposal.fingerprint for proposal in found} & {proposal.fingerprint for proposal in before}
    if sampler == "evolution-graphs":
        assert all(proposal.candidate.parents for proposal in found)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(2_000, 200_000))
def test_a_network_is_narrowed_into_the_budget_and_no_further_than_it_must(seed: int, limit: int) -> None:
    graph, budget = sample_network(load_space("mixed"), TASK, seed), Budget(params=Range(max=limit))
    if (found := scale_widths(graph, budget)) is None:
        assert not budget.allows(CountedNetwork.of(scale(graph, MIN_FACTOR)))
        return
    factor, narrowed = found
    assert budget.allows(CountedNetwork.of(narrowed))
    assert (narrowed is graph) == budget.allows(CountedNetwork.of(graph))
    assert factor == 1 or not budget.allows(CountedNetwork.of(scale(graph, min(1.0, 1.01 * factor)))) or factor > 0.99


@pytest.mark.slow
def test_a_run_records_what_its_networks_were_made_of_and_goes_on(tmp_path: Path) -> None:
    changes = {"sampler": "evolution-graphs", "recipe.epochs": 1, "objectives": ["error"]}
    for trials in (7, 9):
        question = load_experiment("quickstart", changes | {"trials": trials})
        for _ in Search(create(tmp_path / "run", question, "nas")).events():
            pass
    records = load_run(tmp_path / "run").records
    made = [record for record in records if record.parents]
    assert len({record.fingerprint for record in records}) == 9
    assert len(made) >= 2
    assert made[-1].number == 8
    assert all(0 <= parent < record.number and not record.choices for record in made for parent in record.parents)
