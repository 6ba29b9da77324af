"""The section on latency: there where the front was measured, and what it says."""

import json
from pathlib import Path

import pytest
from fake_run import run
from test_page import Reader

from nas.errors import RunError
from nas.report.run.latency import latency_section
from nas.report.run.page import run_page
from nas.report.run.view import view_of
from nas.search.results.front_latency import FILE

ROW = {"number": 3, "predicted": 2.0, "measured": 2.5, "spread": 0.125, "repeats": 28, "outliers": 2}


def test_what_was_measured_is_beside_what_was_predicted(tmp_path: Path) -> None:
    view = view_of(run(tmp_path, 8))
    assert latency_section(view) is None
    (view.run.path / FILE).write_text(json.dumps([ROW]), encoding="utf-8")
    words = Reader(run_page(view)).words
    assert "Latency of the front" in words
    for each in ("2.000", "2.500", "+25.0%", "0.125", "28, 2 discarded"):
        assert each in words


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    view = view_of(run(tmp_path, 8))
    (view.run.path / FILE).write_text("[{}]", encoding="utf-8")
    with pytest.raises(RunError, match=r"latency\.json is damaged"):
        latency_section(view)
