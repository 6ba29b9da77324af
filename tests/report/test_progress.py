"""Hypervolume over trials, and its control."""

from pathlib import Path

import numpy as np
import pytest
from fake_run import record, run

from nas.report.run.hypervolume import dominated_by, reference_point, search_progress
from nas.report.run.progress import learned
from nas.report.run.view import view_of
from nas.search.objectives import Budget, Range
from nas.search.pareto import as_points
from nas.training.score import Score


def scored(number: int, error: float):
    return record(number, scores=(Score(1, error, 1.0, 0.1, 1.0),))


def test_the_reference_is_guessing_and_the_budget_or_a_tenth_beyond_the_worst() -> None:
    question = run(Path(), objectives=("error", "macs", "depth"), budget=Budget(macs=Range(max=500))).experiment
    point = reference_point(question, 10, as_points([(0.2, 100.0, 7.0), (0.5, 50.0, 10.0)]))
    assert point == pytest.approx((0.9, 500.0, 11.0))


def test_progress_never_falls_and_every_order_ends_alike() -> None:
    made = run(Path(), 150)
    found = search_progress(made.experiment, 10, made.records)
    assert found is not None
    assert (np.diff(found.found) >= 0).all()
    assert (np.diff(found.mean) >= 0).all()
    assert found.trials[-1] == 135  # complete ones
    for curve in (found.mean, found.low, found.high):
        assert curve[-1] == pytest.approx(found.found[-1])
    assert (found.low <= found.high).all()
    assert (found.low[:10] < found.mean[:10]).all()


def test_a_search_that_improves_runs_below_random_order_and_one_that_worsens_above() -> None:
    question = run(Path(), objectives=("error",)).experiment
    better = tuple(scored(n, 0.8 - 0.01 * n) for n in range(60))
    worse = tuple(scored(n, 0.2 + 0.01 * n) for n in range(60))
    learnt, forgot = search_progress(question, 10, better), search_progress(question, 10, worse)
    assert learnt is not None
    assert forgot is not None
    assert (learnt.found[5:-5] < learnt.low[5:-5]).all()
    assert (forgot.found[:3] > forgot.mean[:3]).all()


@pytest.mark.parametrize(
    ("errors", "said"),
    [([0.5 - 0.01 * n for n in range(40)],
      "The search learned: its later trials are better than in chance ordering (40 trials, p = 0.001)."),
     ([0.1 + 0.01 * n for n in range(40)], "No evidence that it beat chance ordering: 40 trials, p = 1.00."),
     ([0.1, 0.2], "Too few trials to say whether the search beat chance ordering: 2."),
     ([], "")],
)  # fmt: skip
def test_whether_it_learned_is_one_sentence(errors: list[float], said: str) -> None:
    records = tuple(scored(n, error) for n, error in enumerate(errors))
    assert learned(view_of(run(Path(), records=records, objectives=("error",)))) == said


def test_the_rank_of_a_point_is_how_many_dominate_it() -> None:
    points = np.random.default_rng(0).integers(0, 6, (600, 2)).astype(float)
    expected = [int(((points <= p).all(1) & (points < p).any(1)).sum()) for p in points]
    assert dominated_by(points) == expected


def test_trials_without_a_finite_error_do_not_count() -> None:
    question = run(Path()).experiment
    records = (scored(0, float("inf")), scored(1, float("nan")), record(2, state="failed"), record(3, state="running"))
    assert search_progress(question, 10, records) is None
    one = search_progress(question, 10, (*records, scored(4, 0.1)))
    assert one is not None
    assert one.trials.tolist() == [1]
