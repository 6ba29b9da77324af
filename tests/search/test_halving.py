"""Rungs: what is stopped, what is not, and a run that stops some."""

from dataclasses import replace
from pathlib import Path

import pytest

from nas.genome import Cost, Graph, Task
from nas.genome.primitives import GapHead, Stem
from nas.search import experiment as experiments
from nas.search.driver import Search
from nas.search.halving import Halving, rungs, saved, standing
from nas.search.study import Record, create
from nas.search.study import load as load_run
from nas.training.score import Score

GRAPH = Graph.of(GapHead(10)(Stem(8)(Task("digits", (1, 8, 8), 10).image())))


def record(number: int, macs: int, *errors: float) -> Record:
    scores = tuple(Score(epoch, error, error, 1.0, error) for epoch, error in enumerate(errors, 1))
    return Record(number, {}, GRAPH, str(number), Cost(1, macs, 1, 1, 1), 0, scores)


@pytest.mark.parametrize(
    ("epochs", "factor", "expected"),
    [(27, 3, (1, 3, 9)), (9, 3, (1, 3)), (15, 2, (1, 2, 4, 8)), (1, 2, ()), (2, 4, (1,))],
)
def test_rungs(epochs: int, factor: int, expected: tuple[int, ...]) -> None:
    assert rungs(epochs, factor) == expected


def test_the_worse_of_one_cost_are_stopped() -> None:
    halving = Halving(("error",), 4, 2)
    stopped = [halving.stops(record(i, 100, 0.9, error)) for i, error in enumerate((0.5, 0.4, 0.3, 0.2, 0.6, 0.1))]
    assert stopped == [False, False, False, False, True, False]


def test_a_small_network_is_not_stopped_for_what_large_ones_reach() -> None:
    halving = Halving(("error", "macs"), 4, 2)
    for i, error in enumerate((0.1, 0.11, 0.12, 0.13)):
        halving.stops(record(i, 1000 + i, 0.9, error))
    assert not halving.stops(record(9, 10, 0.9, 0.5))
    assert halving.stops(record(10, 2000, 0.9, 0.5))


def test_standing_counts_the_better_fronts() -> None:
    points = [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (0.5, 4.0)]
    assert [standing(point, points) for point in points] == [0, 0.5, 0.75, 0]


def test_nothing_happens_between_rungs() -> None:
    halving = Halving(("error",), 4, 2)
    assert not any(halving.stops(record(i, 1, *[0.1 * i] * 3)) for i in range(10))


def test_saved_epochs_are_those_of_stopped_trials() -> None:
    stopped = replace(record(0, 1, 0.5, 0.5), state="pruned")
    assert saved([stopped, record(1, 1, 0.5)], 10) == 8


@pytest.mark.slow
def test_a_run_stops_trials_and_resumes_with_them(tmp_path: Path) -> None:
    changes = {"trials": 12, "recipe.epochs": 8, "sampler": "random", "halving": 2, "objectives": ["error"]}
    question = experiments.read(experiments.find("quickstart"), changes)
    for _ in Search(create(tmp_path / "run", question, "nas")).events():
        pass
    records = load_run(tmp_path / "run").records
    stopped = [one for one in records if one.state == "pruned"]
    assert len(records) == 12
    assert stopped
    assert all(one.reason == "stopped" and one.error is None and len(one.scores) < 8 for one in stopped)
    assert all(one.state in ("complete", "pruned") for one in records)
    assert saved(records, 8) > 0
    again = Halving(("error",), 8, 2, records)
    assert len(again.reached[1]) == 12
