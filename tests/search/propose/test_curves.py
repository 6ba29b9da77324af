"""What is expected of trainings that were stopped early."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_frontier import TASK, search

from nas.search.propose.candidate import make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.proposer import Proposer
from nas.search.propose.samplers.curves import MAX_DOUBT, expected_ends
from nas.search.propose.samplers.frontier import Frontier

errors = st.floats(0, 1, allow_nan=False)
curves = st.lists(st.lists(errors, min_size=1, max_size=6).map(tuple), min_size=1, max_size=20)


@given(curves)
def test_what_is_expected_is_finite_and_complete_ones_are_as_told(rows: list[tuple[float, ...]]) -> None:
    ends, doubt = expected_ends(rows)
    longest = max(map(len, rows))
    assert np.isfinite(ends).all()
    assert ((doubt >= 1) & (doubt <= MAX_DOUBT)).all()
    for row, end, much in zip(rows, ends, doubt, strict=True):
        if len(row) == longest:
            assert (end, much) == (row[-1], 1.0)


def made(ends: list[float], noise: float, rng: random.Random) -> list[tuple[float, ...]]:
    """Curves whose error halves from the first epoch to the last, up to noise of its logarithm."""
    return [(2 * end * math.exp(rng.gauss(0, noise)), end) for end in ends]


def test_the_fall_of_complete_trainings_is_expected_of_others() -> None:
    rng = random.Random(0)
    rows = made([rng.uniform(0.1, 0.4) for _ in range(30)], 0.0, rng)
    ends, doubt = expected_ends([*rows, (0.5,), (0.3,)])
    assert ends[-2:] == pytest.approx([0.25, 0.15], rel=1e-6)
    assert doubt[-1] < 3


def test_the_less_an_epoch_tells_the_larger_the_doubt_and_the_nearer_to_the_mean() -> None:
    doubts, distances = [], []
    for noise in (0.01, 0.3, 2.0):
        rng = random.Random(1)
        rows = made([rng.uniform(0.1, 0.4) for _ in range(60)], noise, rng)
        early = np.log([row[0] for row in rows])
        stopped = float(np.exp(early.mean() + early.std()))
        ends, doubt = expected_ends([*rows, (stopped,)])
        middle = np.log([row[-1] for row in rows]).mean()
        doubts.append(doubt[-1])
        distances.append(abs(math.log(ends[-1]) - middle) / early.std())
    assert doubts == sorted(doubts)
    assert distances == sorted(distances, reverse=True)


def test_without_halving_a_model_is_what_it_was() -> None:
    told = search(12, objectives=["error"]).sampler
    assert isinstance(told, Frontier)
    assert all(len(known.curve) == 1 for known in told.known)
    assert expected_ends([known.curve for known in told.known])[1].tolist() == [1.0] * 12


def test_a_training_that_was_stopped_is_told_with_its_curve() -> None:
    proposer: Proposer = search(8, objectives=["error"])
    sampler = proposer.sampler
    assert isinstance(sampler, Frontier)
    proposal = proposer.ask()
    assert proposal is not None
    proposer.tell(proposal, 0.8, curve=(0.9, 0.8))
    assert sampler.known[-1].curve == (0.9, 0.8)
    drawn = make_candidate(proposer.space, TASK, GuidedTrial(random.Random(5)))
    sampler.tell_curve(None, drawn, (0.7,), (0.9, 0.8, 0.7))
    assert sampler.known[-1].error == 0.7
