"""The contract of a sampler on spaces that nobody has seen: never a crash, never a silent zero. Nothing is trained."""

import random
from dataclasses import replace
from itertools import islice

from nas.genome.fingerprint import fingerprint
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.proposer import Proposal, Proposer
from nas.testing.enumeration import enumerate_choices
from nas.testing.samplers import MakeSampler
from nas.testing.spaces import TASK, MadeSpace

TRIALS = 30
PATIENCE = 300
"""Calls of ask in a row without a new network after which it is checked whether there is one."""
ROUNDS = 10
"""Such checks after which a search has ended early: 3,000 calls, as in a search."""
MAX_COMBINATIONS = 500
"""Larger spaces are sampled instead of enumerated."""
DRAWS = 100
"""Networks drawn of a larger space that are looked through for a new one."""


def check_made_space(sampler: str | MakeSampler, made: MadeSpace, trials: int = TRIALS) -> None:
    """Check one search of a made space.

    Nothing is raised; proposals are new, inside the budget, and what their choices lead to; the search ends early only
    where no other network is left: in a small space none at all, in a large one none of a hundred drawn.
    sampler: a name of SAMPLERS, or the sampler's class. Raises AssertionError with the space and what went wrong.
    """
    try:
        proposer = make_proposer(sampler, made, trials)
        seen = set(proposer.measured)
        for proposal in search_made_space(proposer, made, trials):
            _check_proposal(made, proposal, seen)
            seen.add(proposal.fingerprint)
    except Exception as problem:
        raise AssertionError(f"{made}: {type(problem).__name__}: {problem}") from problem


def make_proposer(sampler: str | MakeSampler, made: MadeSpace, trials: int = TRIALS) -> Proposer:
    """Return a proposer of a made space, which was told the trials of the earlier run."""
    experiment = made.experiment(sampler if isinstance(sampler, str) else "random", trials)
    proposer = Proposer(experiment, made.space, TASK, patience=PATIENCE)
    if not isinstance(sampler, str):
        proposer.sampler = sampler(replace(proposer.sampler_setup(), seed=made.seed))
    for record in made.history():
        proposer.learn(record)
    return proposer


def search_made_space(proposer: Proposer, made: MadeSpace, trials: int = TRIALS) -> list[Proposal]:
    """Return the proposals of a search, with several in flight, which end in any order and some of which fail.

    In half of the spaces trainings may be stopped early, and errors come with their curves.

    Raises AssertionError where it ends although another network is left.
    """
    order, waiting, proposals = made.rng("order"), list[Proposal](), list[Proposal]()
    curves = made.rng("curves")
    early = curves.random() < 0.5
    while len(proposals) < trials and (proposal := _ask(proposer, made)):
        proposals.append(proposal)
        waiting.append(proposal)
        while len(waiting) >= made.workers:
            ended = waiting.pop(order.randrange(len(waiting)))
            error = made.told_error(ended.candidate)
            epochs = curves.randint(1, 3) if early and error is not None else 0
            proposer.tell(ended, error, curve=(error or 0.0,) * epochs)
    return proposals


def _ask(proposer: Proposer, made: MadeSpace) -> Proposal | None:
    left: Candidate | None = None
    for _ in range(ROUNDS):
        if proposal := proposer.ask():
            return proposal
        if not (left := find_new(proposer, made)):
            return None
    raise AssertionError(f"the search ended, but {left and left.choices} make a new network inside the budget")


def find_new(proposer: Proposer, made: MadeSpace) -> Candidate | None:
    """Return a network of the space that is inside the budget and was not seen; None where none was found."""
    networks = list(islice(enumerate_choices(made.space, TASK), MAX_COMBINATIONS + 1))
    if len(networks) > MAX_COMBINATIONS:
        rng = made.rng("new")
        networks = [made.draw(rng) for _ in range(DRAWS)]
    inside = (each for each in networks if each and made.budget.allows(each))
    return next((each for each in inside if fingerprint(each.graph) not in proposer.measured), None)


def _check_proposal(made: MadeSpace, proposal: Proposal, seen: set[str]) -> None:
    choices, distributions = proposal.choices, proposal.distributions
    assert proposal.fingerprint not in seen, "a network was proposed twice"
    assert made.budget.allows(proposal), f"a proposal is outside the budget: {choices}"
    assert set(choices) == set(distributions), f"choices and distributions differ: {choices}, {distributions}"
    for name, value in choices.items():
        assert distributions[name].allows(value), f"{name} is {value!r}, not of {distributions[name]}"
    if not proposal.candidate.parents:
        again = make_candidate(made.space, TASK, GuidedTrial(random.Random(0), choices))
        assert fingerprint(again.graph) == proposal.fingerprint, f"the network is not of its choices: {choices}"
