"""Counts of baselines against those that papers and releases print, to the printed digits."""

import csv
from pathlib import Path

import pytest

from nas.genome import cost
from nas.genome.baselines import BASELINES, baseline

FILE = Path(__file__).parent.parent / "data" / "published_counts.csv"
ROWS = list(csv.DictReader(FILE.read_text(encoding="utf-8").splitlines()))
UNITS = {"": 1, "M": 10**6, "G": 10**9}


def rounded_as(printed: str, count: int) -> str:
    """The count with the unit and the digits of a printed one."""
    number, _, unit = printed.partition(" ")
    digits = len(number.partition(".")[2])
    return f"{count / UNITS[unit]:.{digits}f} {unit}".strip()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["baseline"])
def test_counts_are_those_published(row: dict[str, str]) -> None:
    counts = cost(baseline(row["baseline"]))
    assert rounded_as(row["params"], counts.params) == row["params"]
    assert rounded_as(row["macs"], counts.macs) == row["macs"]


def test_every_row_is_of_one_baseline_and_has_a_source() -> None:
    names = [row["baseline"] for row in ROWS]
    assert len(set(names)) == len(names)
    assert set(names) <= set(BASELINES)
    assert all(row["source"] for row in ROWS)
