"""The test split is read by exports and finalists, and each reading is recorded."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from nas.errors import RunError
from nas.search.results.export_trial import export_trial
from nas.search.results.finalist_files import Finalist, finalist_weights
from nas.search.results.retraining import FIRST_SEED
from nas.search.store.readings import FILE, load_readings, record_reading
from nas.search.store.run import Run, load_run


def unread(finished_run: Path, tmp_path: Path) -> Run:
    """A copy of a run without what other tests read."""
    return load_run(Path(shutil.copytree(finished_run, tmp_path / "run", ignore=shutil.ignore_patterns(FILE))))


def test_a_second_export_tells_that_the_split_was_read_before(finished_run: Path, tmp_path: Path) -> None:
    run = unread(finished_run, tmp_path)
    cards, told = [], list[str]()
    for place in ("first", "second"):
        _, accuracy = export_trial(run, run.best(), tmp_path / place, told.append)
        cards.append((tmp_path / place / "README.md").read_text(encoding="utf-8"))
    first, second = load_readings(run.path)
    assert (first.trial, first.verb) == (run.best().number, "nas export")
    assert accuracy is not None
    assert first.error == pytest.approx(1 - accuracy)
    assert second.error == first.error
    assert "read once, at this export" in cards[0]
    assert f"read 2 times, first on {first.date} by nas export" in cards[1]
    assert told == [f"the test split was read before for trial {first.trial}, first on {first.date} by nas export"]


def test_the_card_of_a_finalist_counts_earlier_readings(finished_run: Path, tmp_path: Path) -> None:
    run = unread(finished_run, tmp_path)
    best = run.best()
    finalist = Finalist(best.number, (0.2,), 0.2, 0.2, FIRST_SEED, 0.25, epochs=1)
    weights = finalist_weights(run.path, best.number)
    weights.parent.mkdir()
    shutil.copy(run.weights(best), weights)
    (weights.parent / "finalists.json").write_text(json.dumps([asdict(finalist)]), encoding="utf-8")
    for verb in ("nas export", "nas finalists"):
        record_reading(run.path, best.number, verb, finalist.test_error)
    export_trial(run, best, tmp_path / "export", lambda _: None)
    card = (tmp_path / "export" / "README.md").read_text(encoding="utf-8")
    first, _ = load_readings(run.path, best.number)
    assert f"0.7500, read 2 times, first on {first.date} by nas export" in card


def test_readings_are_kept_apart_by_trial(tmp_path: Path) -> None:
    assert load_readings(tmp_path) == ()
    for trial in (3, 4, 3):
        record_reading(tmp_path, trial, "nas export", 0.5)
    assert [reading.trial for reading in load_readings(tmp_path)] == [3, 4, 3]
    assert len(load_readings(tmp_path, 3)) == 2


@pytest.mark.parametrize("text", ["", "{}x", '[{"trial": 1}]', "[1]"])
def test_a_damaged_list_is_one_message(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match="damaged"):
        load_readings(tmp_path)
