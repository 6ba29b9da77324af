"""Rungs: what is stopped, what is not, and a run that stops some."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.genome import Cost, Graph, Task
from nas.genome.genome_json import to_json
from nas.genome.primitives import GapHead, Stem
from nas.search.experiment_file import load_experiment
from nas.search.loop.halving import Halving, epochs_saved, rungs, standings
from nas.search.loop.rung_worth import RungWorth
from nas.search.loop.search import Search
from nas.search.pareto import as_points, dominates
from nas.search.store.create import create
from nas.search.store.run import load_run
from nas.search.trial import Reason, TrialRecord
from nas.search.workers.job import Event, Job, Outcome, Progress
from nas.search.workers.processes import ProcessPool
from nas.training.score import Score

GRAPH = Graph.of(GapHead(10)(Stem(8)(Task("digits", (1, 8, 8), 10).image())))


@pytest.fixture(autouse=True)
def every_rung_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a rung is worth is of test_rung_worth.py."""
    monkeypatch.setattr(RungWorth, "is_sampled", lambda *_: False)
    monkeypatch.setattr(RungWorth, "tells", lambda *_: True)


def record(number: int, macs: int, *errors: float) -> TrialRecord:
    scores = tuple(Score(epoch, error, error, 1.0, error) for epoch, error in enumerate(errors, 1))
    return TrialRecord(number, {}, to_json(GRAPH), str(number), Cost(1, macs, 1, 1, 1), 0, scores)


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
    assert standings([(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (0.5, 4.0)]).tolist() == [0, 0.5, 0.75, 0]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_fronts_are_those_found_by_taking_one_off_after_another(points: list[tuple[int, int]]) -> None:
    expected, left = dict[tuple[int, int], float](), points
    while left:
        beaten = [bool(column.any()) for column in dominates(as_points(left), as_points(left)).T]
        front = [point for place, point in enumerate(left) if not beaten[place]]
        expected |= dict.fromkeys(front, 1 - len(left) / len(points))
        left = [point for point in left if point not in front]
    assert standings(points).tolist() == pytest.approx([expected[point] for point in points])


def test_nothing_happens_between_rungs() -> None:
    halving = Halving(("error",), 4, 2)
    assert not any(halving.stops(record(i, 1, *[0.1 * i] * 3)) for i in range(10))


def test_saved_epochs_are_those_of_stopped_trials_less_those_trained_twice() -> None:
    stopped = replace(record(0, 1, 0.5, 0.5), state="pruned")
    promoted = replace(record(1, 1, *[0.5] * 10), state="complete", repeated=2)
    assert epochs_saved([stopped, record(2, 1, 0.5)], 10) == 8
    assert epochs_saved([stopped, promoted], 10) == 6


def test_one_that_was_stopped_among_few_is_promoted_once_it_is_among_the_best() -> None:
    halving = Halving(("error",), 8, 2)
    for number, error in enumerate((0.1, 0.2, 0.3)):
        assert not halving.stops(record(number, 1, error))
    early = record(3, 1, 0.25)
    assert halving.rungs_ahead(early) == (1, 2, 4)
    assert halving.stops(early)
    halving.pause(early)
    assert halving.promoted() is None
    for number in (4, 5):
        assert halving.stops(record(number, 1, 0.4))
        halving.pause(record(number, 1, 0.4))
    promoted = halving.promoted()
    assert promoted == replace(early, scores=(), repeated=1)
    assert halving.rungs_ahead(promoted) == (2, 4)
    assert not halving.stops(replace(promoted, scores=early.scores))
    assert halving.promoted() is None


def test_one_promoted_twice_is_compared_at_every_rung_it_has_not_passed() -> None:
    halving = Halving(("error",), 5, 2)  # rungs at 1, 2 and 3
    for number in range(4):
        assert not halving.stops(record(number, 1, 0.1))
        assert not halving.stops(record(number, 1, 0.1, 0.1))
        assert not halving.stops(record(number, 1, 0.1, 0.1, 0.1))
    unlucky = record(9, 1, 0.2)
    for rung, errors in ((1, (0.2,)), (2, (0.2, 0.2))):
        assert halving.stops(replace(unlucky, scores=record(9, 1, *errors).scores))
        halving.pause(replace(unlucky, scores=record(9, 1, *errors).scores))
        for number in range(20 * rung, 20 * rung + 20):
            halving.stops(record(number, 1, *[0.9] * rung))
            halving.pause(record(number, 1, *[0.9] * rung))
        promoted = halving.promoted()
        assert promoted
        unlucky = promoted
    assert halving.stops(replace(unlucky, scores=record(9, 1, 0.2, 0.2, 0.9).scores))


def test_a_promotion_is_paid_for_by_what_stops_have_saved() -> None:
    halving = Halving(("error",), 3, 2)  # rungs at 1 and 2
    for number in range(4):
        halving.stops(record(number, 1, 0.9, 0.2 + number / 100))
    unlucky, worse = record(4, 1, 0.9, 0.3), record(5, 1, 0.9, 0.4)
    assert halving.stops(unlucky)
    halving.pause(unlucky)
    for number in range(10, 20):
        halving.stops(record(number, 1, 0.9, 0.5))
    assert halving.promoted() is None  # it has saved one epoch, and would repeat two
    for saved in (2, 3):
        halving.pause(replace(worse, number=10 + saved))
        assert halving.saved == saved
    assert halving.promoted() == replace(unlucky, scores=(), repeated=2)
    assert halving.saved == 0


@given(st.lists(st.integers(0, 9), min_size=4, max_size=40), st.integers(2, 9), st.integers(2, 4))
def test_halving_never_costs_more_than_it_saves(errors: list[int], epochs: int, factor: int) -> None:
    halving, ended = Halving(("error",), epochs, factor), list[TrialRecord]()
    todo = [record(number, 1) for number in range(len(errors))]
    while one := halving.promoted() or (todo.pop(0) if todo else None):
        for epoch in range(1, epochs + 1):
            one = replace(one, scores=record(0, 1, *[errors[one.number] / epoch] * epoch).scores)
            if epoch in halving.rungs_ahead(one) and halving.stops(one):
                halving.pause(one)
                break
        else:
            ended.append(replace(one, state="complete"))
        ended += [replace(gone, state="pruned") for gone in halving.given_up(2)]
    ended += [replace(gone, state="pruned") for gone in halving.given_up(0)]
    assert len(ended) == len(errors)
    assert epochs_saved(ended, epochs) == halving.saved >= 0


def test_the_best_of_those_stopped_wait() -> None:
    halving = Halving(("error",), 8, 2)
    for number, error in enumerate((0.1, 0.2, 0.3, 0.4, 0.5, 0.6)):
        one = record(number, 1, error)
        if halving.stops(one):
            halving.pause(one)
    assert [one.number for one in halving.given_up(1)] == [4, 5]
    assert [one.number for one in halving.given_up(0)] == [3]


@pytest.mark.slow
def test_a_run_stops_trials_and_resumes_with_them(tmp_path: Path) -> None:
    changes = {"trials": 12, "recipe.epochs": 8, "sampler": "random", "halving": 2, "objectives": ["error"]}
    changes["train_images"] = 200
    question = load_experiment("quickstart", changes)
    for _ in Search(create(tmp_path / "run", question, "nas")).events():
        pass
    records = load_run(tmp_path / "run").records
    stopped = [one for one in records if one.state == "pruned"]
    assert len(records) == 12
    assert stopped
    assert all(one.reason == "stopped" and one.error is None for one in stopped)
    assert all(one.state in ("complete", "pruned") for one in records)
    assert epochs_saved(records, 8) > 0
    again = Halving(("error",), 8, 2, records)
    assert len(again.reached[1]) == 12


def scripted(job: Job) -> Iterator[Event]:
    """Eight epochs: the fourth trial begins badly among four good ones and ends best; those after it are bad."""
    number = job.number
    for epoch in range(1, 9):
        error = (0.2, 0.3, 0.4, 0.35 if epoch == 1 else 0.05, 0.5)[min(number, 4)] + number / 1000
        yield Progress(number, Score(epoch, error, 1.0, 0.1, 1.0))
    yield Outcome(number)


class Strict:
    """One worker without a process. It counts words, and fails where one is missing, or none is waited for."""

    def __init__(self) -> None:
        self.words, self._waits = Counter[str](), False
        self._job: Job | None = None
        self._events: Iterator[Event] = iter(())
        self.rungs = dict[int, tuple[int, ...]]()

    def idle(self) -> bool:
        return self._job is None

    def submit(self, job: Job) -> None:
        self._job = job
        self.rungs[job.number], self._events = job.rungs, self._train(job)

    def _train(self, job: Job) -> Iterator[Event]:
        if job.number == 2:
            yield Progress(job.number, Score(1, 0.9, float("nan")))
            yield Outcome(job.number, Reason.DIVERGED)
        yield from scripted(job)

    def stop(self, number: int) -> None:
        self._say(number, "stop")
        self._events = iter([Outcome(number, Reason.STOPPED)])

    def proceed(self, number: int) -> None:
        self._say(number, "proceed")

    def _say(self, number: int, word: str) -> None:
        assert self._job
        assert (self._job.number, self._waits) == (number, True)
        self.words[word] += 1
        self._waits = False

    def events(self, _seconds: float) -> list[Event]:
        assert self._job
        assert not self._waits
        event = next(self._events)
        self._waits = isinstance(event, Progress) and self._job.waits_after(event.score)
        self._job = None if isinstance(event, Outcome) else self._job
        return [event]

    def close(self) -> None: ...


def test_each_wait_has_one_word(tmp_path: Path) -> None:
    changes = {"trials": 8, "recipe.epochs": 8, "sampler": "random", "halving": 2, "objectives": ["error"]}
    question = load_experiment("quickstart", changes | {"workers": 1, "baselines": ["cifar_resnet20"]})
    workers = Strict()
    for _ in Search(create(tmp_path / "run", question, "nas"), lambda _: workers).events():
        pass
    run = load_run(tmp_path / "run")
    assert [one.reason for one in run.records if one.state == "failed"] == ["nan"]
    assert workers.words["stop"] == sum(one.state == "pruned" for one in run.records) + sum(
        one.repeated > 0 for one in run.records
    )
    assert workers.words["proceed"]
    (baseline,) = run.baselines
    assert len(baseline.scores) == 8
    assert workers.rungs[baseline.number] == ()
    assert workers.rungs[0] == (1, 2, 4)


@pytest.mark.slow
def test_a_run_promotes_under_the_same_number(tmp_path: Path) -> None:
    changes = {"trials": 8, "recipe.epochs": 8, "sampler": "random", "halving": 2, "objectives": ["error"]}
    question = load_experiment("quickstart", changes | {"workers": 1})
    search = Search(create(tmp_path / "run", question, "nas"), lambda _: ProcessPool(1, train=scripted))
    told = [(event.kind, event.record.number) for event in search.events()]
    records = load_run(tmp_path / "run").records
    assert [one.number for one in records] == list(range(8))
    stopped = [one for one in records if one.state == "pruned"]
    assert len(stopped) == 4
    assert {len(one.scores) for one in stopped} == {1}  # none past its rung
    assert sum(kind == "scored" for kind, _ in told) == 4 * 8 + 4 + 1
    promoted = [one for one in records if one.repeated]
    assert [one.number for one in promoted] == [3]
    assert promoted[0].state == "complete"
    assert len(promoted[0].scores) == 8
    assert told.count(("started", 3)) == 2
    assert ("waiting", 3) in told
    assert sorted(number for kind, number in told if kind == "ended") == list(range(8))
