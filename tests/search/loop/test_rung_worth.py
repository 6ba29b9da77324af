"""A rung stops trials only where its errors tell how trainings end."""

import random
from dataclasses import replace

import pytest
from scipy.stats import spearmanr
from test_halving import record

from nas.search.loop.halving import Halving
from nas.search.loop.rung_worth import EVERY, FIRST, UNSURE, RungWorth
from nas.search.trial import TrialRecord

EPOCHS = 9  # rungs at 1 and 3


def run(halving: Halving, one: TrialRecord) -> bool:
    """Train a trial to its end, or to where it is stopped; return whether it was stopped."""
    for epoch in range(1, EPOCHS + 1):
        part = replace(one, scores=one.scores[:epoch])
        if epoch in halving.rungs_ahead(part) and halving.stops(part):
            halving.pause(part)
            return True
    halving.end(replace(one, state="complete"))
    return False


def curve(number: int, early: float, last: float) -> TrialRecord:
    """A trial with one error at the first rung, and another from the second on."""
    return record(number, 1, early, early, *[last] * (EPOCHS - 2))


@pytest.mark.parametrize("tells", [True, False])
def test_trials_are_stopped_at_a_rung_only_if_it_tells_how_they_end(tells: bool) -> None:
    halving, rng = Halving(("error",), EPOCHS, 3), random.Random(0)
    stopped_first = 0
    for number in range(40):
        last = rng.random()
        one = curve(number, last if tells else rng.random(), last)
        if run(halving, one):
            stopped_first += len(halving.waiting[-1].scores) == 1
            assert number >= FIRST
            assert number % EVERY
    assert (stopped_first > 12) if tells else (stopped_first == 0)
    assert halving.worth.tells(3)  # the second rung has the last error


def test_the_correlation_is_spearmans_and_shrinks_the_less_is_known() -> None:
    worth, rng = RungWorth(), random.Random(1)
    numbers = [*range(FIRST), 6, 12, 18, 24]
    early, last = ([rng.random() for _ in numbers] for _ in range(2))
    for count, (number, a, b) in enumerate(zip(numbers, early, last, strict=True), 1):
        worth.note(number, 1, a)
        assert worth.correlation(1) == pytest.approx(expected(early, last, count - 1))
        worth.end(number, b)
        assert worth.correlation(1) == pytest.approx(expected(early, last, count))
    worth.note(7, 1, 100.0)  # none of the sample
    worth.end(7, 0.0)
    assert worth.correlation(1) == pytest.approx(expected(early, last, len(numbers)))


def expected(early: list[float], last: list[float], count: int) -> float:
    if count < FIRST:
        return 0.0
    return float(spearmanr(early[:count], last[:count]).statistic) * count / (count + UNSURE)


def test_equal_errors_tell_nothing() -> None:
    worth = RungWorth()
    for number in range(FIRST):
        worth.note(number, 1, 0.9)
        worth.end(number, number / 10)
    assert worth.correlation(1) == 0.0
    assert not worth.tells(1)


def test_records_of_an_earlier_driver_say_what_rungs_are_worth() -> None:
    done = [replace(curve(number, number / 10, number / 10), state="complete") for number in range(FIRST)]
    halving = Halving(("error",), EPOCHS, 3, done)
    assert halving.worth.correlation(1) == pytest.approx(FIRST / (FIRST + UNSURE))
    assert halving.stops(record(7, 1, 0.9))
