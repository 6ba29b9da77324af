"""The table of a run, and the CSV of it."""

import csv
from pathlib import Path

import pytest
from fake_run import record, run

from nas.errors import printable
from nas.report.run.frame import frame, harmless, write_csv


def test_one_row_a_trial_with_its_counts_and_choices() -> None:
    made = run(Path(), 20)
    table = frame(made)
    assert table["number"].tolist() == list(range(20))
    third = made.records[3]
    row = table.loc[3]
    assert (row["params"], row["macs"], row["flops"]) == (third.cost.params, third.cost.macs, 2 * third.cost.macs)
    assert row["error"] == third.error
    assert row["choice.family"] == third.choices["family"]
    assert row["used.params"] == pytest.approx(third.cost.params / 120_000)
    assert table.loc[9, ["state", "reason"]].tolist() == ["failed", "nan"]


def test_the_front_is_of_complete_trials_only() -> None:
    table = frame(run(Path(), 40))
    front = table[table["on_front"]].sort_values("macs")
    assert len(front) > 1
    assert front["error"].is_monotonic_decreasing
    assert (front["state"] == "complete").all()


def test_a_run_without_trials_still_has_its_columns() -> None:
    table = frame(run(Path(), 0))
    assert len(table) == 0
    assert {"number", "error", "params", "on_front", "fingerprint"} <= set(table.columns)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_and_no_heading_is_a_formula(text: str, tmp_path: Path) -> None:
    records = (record(0, choices={text: text, "kept": "a=b"}, reason=text, state="failed"),)
    write_csv(frame(run(tmp_path, 1, records)), tmp_path / "trials.csv")
    with (tmp_path / "trials.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    escaped = printable(text, kept="")
    assert (f"'{text}" if escaped == text else escaped) in cells
    assert "a=b" in cells


def test_numbers_keep_their_sign() -> None:
    assert harmless(-1.5) == -1.5


def test_no_cell_and_no_heading_moves_the_cursor(tmp_path: Path) -> None:
    odd = "\ra\x1b[2J\x00\u202eb"
    write_csv(frame(run(tmp_path, 1, (record(0, choices={odd: odd}, reason=odd, state="failed"),))), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").replace("\n", "").isprintable()
