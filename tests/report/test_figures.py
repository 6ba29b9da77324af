"""Figures: written in every state that has something to show, whatever the names."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from fake_run import rich_run, run

from nas.report.run.figures import write_figures
from nas.report.run.view import view_of
from nas.search.objectives import Budget, Range

NAMES = ("front.png", "front.svg", "hypervolume.png", "hypervolume.svg")


@pytest.mark.parametrize("trials", [1, 40])
def test_each_figure_is_written_as_png_and_svg(trials: int, tmp_path: Path) -> None:
    limits = Budget(macs=Range(1_000, 4_000_000))
    write_figures(view_of(run(tmp_path, trials, name="costs $5 [x] \\frac{1}", budget=limits)), tmp_path)
    for name in NAMES:
        content = (tmp_path / name).read_bytes()
        assert content.startswith(b"\x89PNG") == name.endswith("png")
    text = "".join(ET.parse(tmp_path / "front.svg").getroot().itertext())
    assert "costs $5 [x] \\frac{1}" in text
    assert "budget 1 k" in text
    assert "budget 4 M" in text


def test_nothing_is_drawn_while_no_trial_is_complete(tmp_path: Path) -> None:
    write_figures(view_of(run(tmp_path, 0)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_baselines_are_in_the_legend_where_there_are_any(tmp_path: Path) -> None:
    for name, made in (("with", rich_run(tmp_path / "a")), ("without", run(tmp_path / "b"))):
        (tmp_path / name).mkdir()
        write_figures(view_of(made), tmp_path / name)
        text = "".join(ET.parse(tmp_path / name / "front.svg").getroot().itertext())
        assert ("baselines" in text) == (name == "with")
