"""Objectives and sections of a user's own appear in the report without an edit of it."""

import csv
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_run import record, rich_run, run
from test_browser import BROWSER, opened
from test_page import Reader

from nas.report import markdown_report, write_comparison, write_report
from nas.report.html.section import Section, plot, section
from nas.report.run.hypervolume import reference_point
from nas.report.run.page import SECTIONS, run_page
from nas.report.run.view import View, view_of
from nas.search.objectives import OBJECTIVES, Budget, Objective, Range
from nas.search.pareto import as_points
from nas.search.store.run import Run

WIDEST = Objective(
    "widest", "widest layer", "channels", lambda network: max(node.shape[0] for node in network.graph.nodes)
)
CONFUSION = Objective(
    "confusion", "training loss", "nats", lambda trial: trial.scores[-1].train_loss / 10, exact=False, upper_bound=2.5
)


@pytest.fixture(autouse=True)
def objectives() -> Iterator[None]:
    for each in (WIDEST, CONFUSION):
        OBJECTIVES.register(each)
    yield
    for each in (WIDEST, CONFUSION):
        OBJECTIVES.unregister(each.name)


def searched(path: Path, *names: str, **limits: Range) -> Run:
    made = rich_run(path)
    changes: dict[str, Any] = {"objectives": ("error", *names)} | ({"budget": Budget(limits)} if limits else {})
    return dataclasses.replace(made, experiment=made.experiment.model_copy(update=changes))


def plot_data(text: str, name: str) -> Any:
    return json.loads(re.findall(rf'id="{name}-data">(.*?)</script>', text)[0])


@pytest.mark.parametrize("objective", [WIDEST, CONFUSION], ids=lambda objective: objective.name)
def test_a_minimized_objective_is_in_every_plot_and_table(objective: Objective, tmp_path: Path) -> None:
    made = searched(tmp_path, objective.name)
    page = write_report(made)
    text, view = page.read_text(encoding="utf-8"), view_of(made)
    assert view.best is not None
    axis = plot_data(text, "front")["axes"][objective.name]
    assert axis["title"] == objective.summary
    assert axis["x"][1] == [objective.of(each) for each in view.front]
    assert plot_data(text, "primitives")["axis"]["title"] == objective.summary
    assert plot_data(text, "coordinates")["axes"][-2]["name"] == objective.title
    reader = Reader(text)
    assert f"better in one of validation error and {objective.title} without" in reader.words
    for part in ("option", "button", "th", "dt"):  # menu, table of trials, baselines, key numbers and panel
        assert any(objective.title in said for said in reader.texts[part]), part
    with (page.parent / "trials.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0][objective.name]) == pytest.approx(objective.of(made.records[0]))
    assert f" {objective.title} |" in markdown_report(made)
    assert objective.title in (page.parent / "front.svg").read_text(encoding="utf-8")
    other = write_comparison([made, run(tmp_path / "other", 20)]).read_text(encoding="utf-8")
    assert objective.name in plot_data(other, "fronts")["axes"]
    assert objective.title in Reader(other).texts["th"]


def test_a_limited_objective_is_in_the_heading_and_has_its_line(tmp_path: Path) -> None:
    made = searched(tmp_path, "macs", widest=Range(max=64))
    text = run_page(view_of(made))
    assert "Best network for digits within 64 widest layer" in Reader(text).words
    assert plot_data(text, "front")["axes"]["widest"]["limits"] == [64]
    assert "of the budget" in text


def test_the_reference_is_the_limit_or_the_upper_bound(tmp_path: Path) -> None:
    experiment = searched(tmp_path, "widest", "confusion", widest=Range(max=64)).experiment
    assert reference_point(experiment, 10, as_points([(0.5, 70.0, 0.3)])) == pytest.approx((0.9, 64, 2.5))


def test_a_failed_trial_has_no_measured_value(tmp_path: Path) -> None:
    made = run(tmp_path, records=(record(0), record(1, state="failed", scores=())), objectives=("error", "confusion"))
    table = view_of(made).table
    assert table["confusion"].isna().tolist() == [False, True]


def slowest(view: View) -> Section:
    """The trial that took longest."""
    found = max(view.run.records, key=lambda each: each.seconds)
    html = section("slowest", "Slowest trial", plot("slowest", "Times", f"Trial {found.number}"))
    return Section(html, {"slowest": {"x": [found.number], "y": [found.seconds]}}, Path(__file__).parent / "slowest.js")


def test_a_section_is_one_function_and_one_line(tmp_path: Path) -> None:
    view = view_of(run(tmp_path, 3))
    before = run_page(view)
    SECTIONS.insert(1, slowest)
    try:
        text = run_page(view)
    finally:
        SECTIONS.remove(slowest)
    identities = [attributes["id"] for attributes in Reader(text).every("section")]
    assert identities[1] == "slowest"
    assert plot_data(text, "slowest")["x"] == [max(view.run.records, key=lambda each: each.seconds).number]
    assert 'register("slowest"' in text
    assert run_page(view) == before


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no chromium on the path")
def test_a_browser_draws_both(tmp_path: Path) -> None:
    made = searched(tmp_path, CONFUSION.name)
    SECTIONS.append(slowest)
    try:
        page = write_report(made)
    finally:
        SECTIONS.remove(slowest)
    document, console, _ = opened(page, tmp_path / "profile")
    assert console == ""
    assert len(re.findall(r'<div id="[a-z]+-plot" class="plot[^>]*><div', document)) == 7
    assert "training loss (nats)</text>" in document
