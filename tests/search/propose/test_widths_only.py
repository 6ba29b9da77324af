"""A space of widths only: all networks have the same sequence of layers, and the sampler has a model all the same."""

import random
from statistics import mean

import pytest

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import ConvUnit, GapHead, MaxPool, Stem
from nas.search.experiment import Experiment
from nas.search.objectives import Network
from nas.search.propose.proposer import Proposer

TASK = Task("digits", (1, 8, 8), 10)


def widths(trial: Trial, task: Task) -> Graph:
    """Return six convolutions whose widths are searched, and two poolings."""
    value = Stem(16)(task.image())
    for i in range(6):
        value = ConvUnit(trial.suggest_int(f"w{i}", 8, 64, step=8), 3)(value)
        value = MaxPool(2, 2)(value) if i in (1, 3) else value
    return Graph.of(GapHead(task.classes)(value))


def smooth_error(network: Network, rng: random.Random) -> float:
    """Return an error that falls with the parameters, with noise of 0.01."""
    return min(1.0, max(0.0, 0.5 - network.cost.params / 400_000 + rng.gauss(0, 0.01)))


def searched(sampler: str, seed: int, trials: int) -> tuple[Proposer, list[float]]:
    settings = {"name": "widths", "space": "widths", "data": TASK.name, "sampler": sampler, "objectives": ("error",)}
    proposer = Proposer(Experiment.model_validate({**settings, "trials": trials, "seed": seed}), widths, TASK)
    rng, errors = random.Random(seed), list[float]()
    for _ in range(trials):
        proposal = proposer.ask()
        assert proposal is not None
        errors.append(smooth_error(proposal.candidate, rng))
        proposer.tell(proposal, errors[-1])
    return proposer, errors


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_frontier_has_a_model_of_widths_only(seed: int) -> None:
    proposer, errors = searched("frontier", seed, 30)
    assert proposer.proposal_counts["candidates"] > 0
    assert proposer.proposal_counts["candidate, no model"] == 0
    _, chance = searched("random", seed, 30)
    assert mean(errors[20:]) < mean(chance[20:])
