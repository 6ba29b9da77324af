"""Plots show the errors that matter."""

from pathlib import Path
from typing import Any

import pytest
from fake_run import network, record, run

from nas.report.run.error_axis import error_axis
from nas.report.run.view import view_of
from nas.search.trial import TrialRecord
from nas.training.score import Score


def axis_of(*errors: float) -> dict[str, Any]:
    records = tuple(record(n, scores=(Score(1, error, 1.0, 0.1, 1.0),)) for n, error in enumerate(errors))
    return error_axis([view_of(run(Path(), records=records, objectives=("error",)))])


def test_a_few_networks_that_learned_nothing_do_not_set_the_scale() -> None:
    found = axis_of(*[0.30 + 0.01 * n for n in range(10)], 0.9, 0.89)
    assert found == {"title": "validation error", "log": False, "range": pytest.approx((0.2955, 0.3945))}


@pytest.mark.parametrize(("errors", "top"), [([0.1, 0.2, 0.3, 0.32], 0.331), ([0.1], 0.105), ([0.0, 0.0], 0.05)])
def test_otherwise_all_errors_are_shown(errors: list[float], top: float) -> None:
    low, high = axis_of(*errors)["range"]
    assert low <= min(errors)
    assert high == pytest.approx(top)


def test_errors_of_several_magnitudes_have_a_logarithmic_axis() -> None:
    assert axis_of(0.01, 0.1, 0.2, 0.5) == {"title": "validation error", "log": True, "range": None}


def test_the_front_is_always_inside() -> None:
    errors = [0.3 + 0.001 * n for n in range(20)]
    records = [record(n, scores=(Score(1, error, 1.0, 0.1, 1.0),)) for n, error in enumerate(errors)]
    cheap = TrialRecord.of(network({"family": "plain", "width": 2, "depth": 1}), 20, 20, state="complete",
                           scores=(Score(1, 0.9, 1.0, 0.1, 1.0),))  # fmt: skip
    view = view_of(run(Path(), records=(*records, cheap)))
    assert view.front[-1].number == cheap.number
    assert error_axis([view])["range"][1] > 0.9


def test_a_run_without_a_result_has_no_range() -> None:
    assert axis_of()["range"] is None
