"""What a report says to take, from runs in which it is known which images each network misclassifies."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_run import network, rich_run, run
from test_page import Reader

from nas.report import markdown_report
from nas.report.run.header import error_note
from nas.report.run.page import run_page
from nas.report.run.recommend import recommend
from nas.report.run.view import view_of
from nas.search.results.compare_errors import error_difference
from nas.search.store.confusion import record_confusion
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.training.metrics import misclassified_text
from nas.training.score import Score

IMAGES = 400


def trial(number: int, width: int, wrong: range, kept: bool = True) -> TrialRecord:
    """A plain network of a width that misclassifies these images."""
    mask = np.isin(np.arange(IMAGES), list(wrong))
    text = misclassified_text(mask) if kept else ""
    scores = (Score(1, len(wrong) / IMAGES, 1.0, 0.1, 1.0, misclassified=text),)
    graph = network({"family": "plain", "width": width, "depth": 2})
    return TrialRecord.of(graph, number, number, scores=scores, state="complete")


def searched(path: Path, *records: TrialRecord, **changes: Any) -> Run:
    return run(path, records=records, **changes)


WIDE = trial(0, 24, range(20))
ALIKE = trial(1, 12, range(2, 24))  # 18 of the same images, and 4 others
WORSE = trial(2, 4, range(60))


def test_the_cheapest_that_cannot_be_told_from_the_lowest_is_taken(tmp_path: Path) -> None:
    view = view_of(searched(tmp_path, WIDE, ALIKE, WORSE))
    found = recommend(view)
    assert found is not None
    assert [each.record.number for each in found.taken] == [0, 1]
    assert found.cheapest is not None
    difference = found.cheapest.difference
    assert difference is not None
    assert difference.value == pytest.approx(0.005)
    assert difference.low < 0 < difference.high < 0.03
    assert found.lowest.interval == pytest.approx((0.0326, 0.0760), abs=1e-4)  # Wilson, 20 of 400
    assert [each.record.number for each in found.cheaper] == [2, 1]
    reader = Reader(run_page(view))
    assert f"nas export {tmp_path} --trial 0" in reader.texts["code"]
    assert f"nas export {tmp_path} --trial 1" in reader.texts["code"]
    assert "take trial 1: it has" in reader.words
    assert "paired over 400 validation images" in reader.words
    assert "Cheapest that cannot be told from it" in reader.texts["h2"]


def test_pairs_tell_apart_what_shares_alone_do_not(tmp_path: Path) -> None:
    """Twelve more images are wrong of 400: told apart only where the other errors are the same images."""
    low, high = trial(0, 24, range(40)), trial(1, 12, range(52))
    made = searched(tmp_path, low, high)
    paired = error_difference(made, low, high, IMAGES)
    first, second = trial(0, 24, range(40), kept=False), trial(1, 12, range(52), kept=False)
    unpaired = error_difference(made, first, second, IMAGES)
    assert paired is not None
    assert unpaired is not None
    assert paired.value == unpaired.value
    assert not paired.includes_zero
    assert unpaired.includes_zero
    assert "measurably higher error" in Reader(run_page(view_of(made))).words


def test_a_run_of_an_earlier_version_is_compared_by_its_confusion_matrix(tmp_path: Path) -> None:
    records = [trial(n, width, range(wrong), kept=False) for n, width, wrong in ((0, 24, 20), (1, 12, 24))]
    unknown = recommend(view_of(searched(tmp_path, *records)))
    assert unknown is not None
    assert unknown.cheapest is None
    assert unknown.lowest.interval is None
    assert "is not known" in Reader(run_page(view_of(searched(tmp_path, *records)))).words
    score = dataclasses.replace(records[0].scores[0], confusion=((190, 10), (10, 190)))
    record_confusion(tmp_path, dataclasses.replace(records[0], scores=(score,)))
    view = view_of(searched(tmp_path, *records))
    found = recommend(view)
    assert found is not None
    assert found.cheapest is not None
    assert error_note(view, found.cheapest).endswith(", over 400 validation images")


def test_no_interval_is_claimed_of_a_balanced_error(tmp_path: Path) -> None:
    found = recommend(view_of(searched(tmp_path, WIDE, ALIKE, metric="balanced_error")))
    assert found is not None
    assert found.lowest.interval is None
    assert found.cheapest is None


def test_one_network_and_none(tmp_path: Path) -> None:
    assert recommend(view_of(searched(tmp_path))) is None
    found = recommend(view_of(searched(tmp_path, WIDE)))
    assert found is not None
    assert found.taken == (found.lowest,)
    assert found.remark(view_of(searched(tmp_path, WIDE))) == ""


@pytest.mark.parametrize(("spread", "cheapest"), [(0.02, 1), (0.001, None)])
def test_finalists_are_compared_over_their_seeds(spread: float, cheapest: int | None, tmp_path: Path) -> None:
    made = searched(tmp_path, WIDE, ALIKE, WORSE)
    rows = [
        {"number": number, "seed": 2**20, "errors": [middle - spread, middle, middle + spread], "low": 0.0,
         "high": 0.1, "test_error": 0.06, "epochs": 9}
        for number, middle in ((0, 0.04), (1, 0.05))
    ]  # fmt: skip
    (tmp_path / "finalists").mkdir()
    (tmp_path / "finalists" / "finalists.json").write_text(json.dumps(rows), encoding="utf-8")
    view = view_of(made)
    found = recommend(view)
    assert found is not None
    assert [each.record.number for each in found.taken] == ([0] if cheapest is None else [0, cheapest])
    assert found.lowest.error == pytest.approx(0.04)
    if found.cheapest:
        assert "over 3 seeds each" in error_note(view, found.cheapest)
        assert "test error 6.00 %" in error_note(view, found.cheapest)


def test_markdown_has_both_with_their_commands(tmp_path: Path) -> None:
    text = markdown_report(searched(tmp_path, WIDE, ALIKE, WORSE))
    assert f"nas export {tmp_path} --trial 0\nnas export {tmp_path} --trial 1\n" in text
    assert "- Trial 1: 5.50 % (95 % interval " in text
    assert rich_run(tmp_path / "rich").command in markdown_report(rich_run(tmp_path / "rich"))
