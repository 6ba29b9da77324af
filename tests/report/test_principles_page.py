"""The page of the principles, from simulated results."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_page import Reader

from nas.principles.judging.evidence import FEATURES, Evidence
from nas.principles.judging.plan import Plan
from nas.principles.judging.study_results import StudyResults
from nas.principles.judging.verdict import InterimAnalysis
from nas.principles.study_file import Design, PrincipleStudy
from nas.report.principles.page import principles_page
from nas.report.principles.plots import (
    AxisScale,
    Mark,
    axis_scale,
    empirical_distribution,
    format_probability,
    interval_row,
    line_chart,
)
from nas.report.principles.sentences import caution, sentence, what_would_change
from nas.search.experiment import Experiment
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.training.score import Score

EVIL = "<script>alert(1)</script>"
DESIGN = Design(
    side=8,
    width=8,
    shallow=8,
    deep=14,
    interim_seeds=(3, 6),
    error_sd=1.0,
    population=6,
    min_power=0.0,
    keys=("a00", "h01", "h10", "h20"),
)


def made(path: Path, gain: float = 0.1) -> StudyResults:
    """All trainings done: networks with a 5x5, or plain ones, have `gain` more error."""
    experiment = Experiment(name="x", space="principles", data="digits", objectives=("error",), workers=2)
    plan, rng = Plan(PrincipleStudy(experiment, DESIGN)), np.random.default_rng(0)
    records = {}
    for number, (key, training) in enumerate(plan.all_trainings().items()):
        worse = any(word in training.purpose for word in ("5x5", "plain, deep", "p10 plain"))
        error = 0.4 + gain * worse + float(rng.normal(0, 0.005))
        scores = tuple(Score(epoch, error + 0.1 / epoch, 1.0, 2.0, 1.0 + worse) for epoch in range(1, 6))
        graph = training.graph
        records[key] = TrialRecord.of(
            graph, key[1], number, fingerprint=key[0], scores=scores, state="complete", seconds=2.0
        )
    return StudyResults(plan, records, path)


def run(path: Path, results: StudyResults) -> Run:
    return Run(
        path, results.study.experiment, tuple(results.records.values()), {}, f"nas principles {EVIL}", {EVIL: EVIL}
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    return made(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def text(results: StudyResults) -> str:
    seen = [Evidence(EVIL, FEATURES[0], 0.4, 0.01, 30)]
    return principles_page(results, seen, run(results.path, results))


def test_the_page_is_offline_and_escapes_markup(text: str) -> None:
    found = Reader(text)
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)" in text
    assert not re.search(r'(?:src|href)="(?!#)', text)
    identities = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(set(identities)) == len(identities)
    links = {attributes["href"] for attributes in found.every("a")}
    assert {str(link)[1:] for link in links} <= set(map(str, identities))


def test_it_states_the_outcome_of_each_claim(text: str, results: StudyResults) -> None:
    outcomes = {verdict.principle.key: verdict.outcome for verdict in results.verdicts}
    assert outcomes == {"a00": "supported", "h01": "supported", "h10": "supported", "h20": "undecided"}
    said = Reader(text).words
    assert "Of 3 design principles 2 are supported at this scale, 0 refuted and 1 undecided" in said
    assert "Identity shortcuts remove the degradation." in said
    assert "In the paper: +3.45 points" in said
    assert "358 M" in said
    assert "Observational" in said
    assert "p10" not in said


def test_every_principle_has_an_interval_two_networks_and_its_curves(text: str) -> None:
    assert text.count('class="interval') == 4
    assert text.count('class="net"') == 1 + 3 * 2  # the control is one network
    assert text.count('class="lines"') == 4 + 2  # and the populations


def test_all_is_folded_and_a_link_leads_inside(text: str) -> None:
    found = Reader(text)
    folded = found.every("details")
    assert len(folded) == 2 * 4 + 3  # each principle and its drawings, counts, power and the settings
    assert not any("open" in attributes for attributes in folded)
    inside = re.findall(r'</summary><div id="(\w+)">', text)
    assert sorted(inside) == ["a00", "h01", "h10", "h20"]


def test_an_empty_run_has_a_page(tmp_path: Path, results: StudyResults) -> None:
    nothing = StudyResults(results.plan, {}, tmp_path)
    assert "3 undecided" in Reader(principles_page(nothing, (), run(tmp_path, nothing))).words


def test_sentences_follow_the_verdict(results: StudyResults, tmp_path: Path) -> None:
    verdicts = {verdict.principle.key: verdict for verdict in results.verdicts}
    assert sentence(verdicts["h01"]).startswith("Supported: one 5x5 - two 3x3 (validation error) is +")
    assert re.search(r"\d+ seeds would detect", what_would_change(verdicts["h20"]))
    against = {verdict.principle.key: verdict for verdict in made(tmp_path, -0.1).verdicts}["h01"]
    assert sentence(against).startswith("Refuted: ")
    assert "below the smallest effect of interest" in sentence(against)
    finding = replace(verdicts["h01"].findings[0], images=20.0)
    assert "other images" in caution(replace(verdicts["h01"], analysis=InterimAnalysis(3, (finding,))))
    assert caution(verdicts["h01"]) == ""


def test_the_axis_of_effects_is_symmetric_around_zero_and_includes_all_values() -> None:
    on = axis_scale([-3.0, 20.0])
    assert 0 < on.at(-3.0) < on.at(0.0) < on.at(1.0) < on.at(20.0) < 100
    assert on.at(1e9) == 100
    assert AxisScale(-5, 5).at(0) == pytest.approx(50)
    assert on.ticks == [-3, -1, 0, 1, 3, 10]


def test_plots_are_drawn_to_their_box() -> None:
    found = Reader(interval_row(Mark(1.0, 0.5, 1.5, 0.0, 2.0), AxisScale(-5, 5), "supported", "x"))
    assert [float(str(line["x1"]).rstrip("%")) for line in found.every("line")][-1] > 50
    chart = Reader(line_chart([empirical_distribution([1.0, 2.0, 4.0], 0.3, (0.0, 5.0))], "label", "x", "y"))
    (line,) = chart.every("polyline")
    points = [tuple(map(float, pair.split(","))) for pair in str(line["points"]).split()]
    assert all(0 <= value <= 100 for point in points for value in point)
    assert points[0] == (1.0, 99.0)
    assert points[-1] == (99.0, 1.0)


def test_probabilities_are_written_short() -> None:
    texts = [format_probability(p) for p in (0.5, 0.034, 0.0012, 3e-7, 0.0)]
    assert texts == ["0.50", "0.034", "0.0012", "< 0.0001", "< 0.0001"]
