"""Every sampler: inside the budget, nothing twice, better than chance where there is something to learn."""

import random
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay import FixedTrial

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import Conv, GapHead, Stem
from nas.search.experiment import Experiment
from nas.search.experiment_file import load_experiment
from nas.search.pareto import hypervolume
from nas.search.propose.candidate import make_candidate
from nas.search.propose.choices import GuidedTrial, neighbor
from nas.search.propose.proposer import Proposal, Proposer
from nas.search.propose.samplers.acquisition import expected_hypervolume_improvement
from nas.search.registries import SAMPLERS
from nas.search.space import load_space
from nas.testing.samplers import check_sampler

TASK = Task("digits", (1, 8, 8), 10)
QUICK = [name for name in SAMPLERS if name != "gp"]


def question(**changes: object) -> Experiment:
    return load_experiment("quickstart", changes)


def proposer(**changes: object) -> Proposer:
    asked = question(**changes)
    return Proposer(asked, load_space(asked.space), TASK)


def made_up(proposal: Proposal) -> float:
    """An error to be learnt: residual first stages and 30,000 parameters are best."""
    wrong = sum(proposal.choices.get(f"family{i}") != "residual" for i in (1, 2))
    return float(0.1 * wrong + abs(proposal.cost.params - 30_000) / 100_000)


def searched(sampler: str, trials: int, seed: int = 0, workers: int = 1, **changes: object) -> list[Proposal]:
    """Run against the made-up error, each told only when `workers` are out."""
    asker = proposer(sampler=sampler, trials=trials, seed=seed, **changes)
    out: list[Proposal] = []
    found = []
    for _ in range(trials):
        proposal = asker.ask()
        assert proposal is not None
        assert asker.experiment.budget.allows(proposal)
        found.append(proposal)
        out.append(proposal)
        if len(out) == workers:
            first = out.pop(0)
            asker.tell(first, made_up(first))
    return found


@pytest.mark.parametrize("sampler", QUICK)
@pytest.mark.parametrize("objectives", [["error"], ["error", "params", "macs"]])
def test_inside_and_never_twice_with_many_workers(sampler: str, objectives: list[str]) -> None:
    found = searched(sampler, 14, workers=6, objectives=objectives)
    assert len({proposal.fingerprint for proposal in found}) == 14


@pytest.mark.parametrize(
    "sampler",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in ("gp", "frontier"))) for name in SAMPLERS],
)
def test_the_contract(sampler: str) -> None:
    check_sampler(SAMPLERS[sampler].load())


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["evolution", "local-search", "frontier"])
def test_what_is_learnt_shows_in_later_proposals(sampler: str) -> None:
    def late(name: str) -> float:
        return mean(
            made_up(found) for seed in range(2) for found in searched(name, 30, seed, objectives=["error"])[15:]
        )

    assert late(sampler) < 0.9 * late("random")


@pytest.mark.slow
@pytest.mark.parametrize("sampler", QUICK)
def test_the_same_seed_proposes_the_same(sampler: str) -> None:
    first, again = searched(sampler, 9, 3), searched(sampler, 9, 3)
    assert [proposal.choices for proposal in first] == [proposal.choices for proposal in again]


@pytest.mark.slow
def test_optunas_gaussian_process_keeps_to_the_rules() -> None:
    assert len({proposal.fingerprint for proposal in searched("gp", 15)}) == 15


def two(trial: Trial, task: Task) -> Graph:
    """A second choice only on one side of the first."""
    wide = trial.suggest_categorical("wide", [True, False])
    width = trial.suggest_int("width", 8, 30, step=8) if wide else 4
    kernel = 1 + 2 * round(trial.suggest_float("kernel", 0.0, 2.0))
    return Graph.of(GapHead(task.classes)(Conv(width, kernel)(Stem(4)(task.image()))))


@given(st.integers(0, 10_000))
def test_a_neighbour_differs_in_what_was_redrawn(seed: int) -> None:
    rng = random.Random(seed)
    parent = make_candidate(two, TASK, GuidedTrial(rng))
    child = make_candidate(two, TASK, neighbor(rng, parent.choices))
    shared = parent.choices.keys() & child.choices.keys()
    assert sum(parent.choices[name] != child.choices[name] for name in shared) == 1
    assert all(child.distributions[name].allows(value) for name, value in child.choices.items())
    assert two(FixedTrial(child.choices), TASK) == child.graph


def test_a_choice_the_space_does_not_allow_is_redrawn() -> None:
    trial = GuidedTrial(random.Random(0), {"wide": 1, "width": 9, "kernel": 5.0})
    drawn = make_candidate(two, TASK, trial)
    assert type(drawn.choices["wide"]) is bool
    assert drawn.choices.get("width", 8) in (8, 16, 24)
    assert float(drawn.choices["kernel"]) <= 2
    assert list(drawn.distributions["wide"].values) == [True, False]


points = st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=8)


@settings(deadline=None)
@given(points, points, st.integers(1, 3))
def test_a_certain_error_gains_exactly_the_hypervolume(old: list[tuple[float, ...]], new: list[tuple[float, ...]],
                                                       count: int) -> None:  # fmt: skip
    front, fresh = np.array(old)[:, :count], np.array(new)[:, :count]
    reference = np.full(count, 0.9)
    gain = expected_hypervolume_improvement(fresh[:, 0], np.full(len(fresh), 1e-12), fresh[:, 1:], front, reference)
    before = hypervolume(front, reference.tolist())
    after = [hypervolume(np.vstack([front, row]), reference.tolist()) for row in fresh]
    assert gain == pytest.approx(np.array(after) - before, abs=1e-9)


def test_an_uncertain_error_gains_the_mean() -> None:
    front, reference = np.array([[0.3, 0.7], [0.6, 0.2]]), np.array([1.0, 1.0])
    gain = expected_hypervolume_improvement(np.array([0.5]), np.array([0.2]), np.array([[0.4]]), front, reference)
    errors = np.random.default_rng(0).normal(0.5, 0.2, 20_000)
    before = hypervolume(front, (1.0, 1.0))
    sampled = np.mean([hypervolume(np.vstack([front, [error, 0.4]]), (1.0, 1.0)) - before for error in errors])
    assert gain[0] == pytest.approx(sampled, rel=0.03)
