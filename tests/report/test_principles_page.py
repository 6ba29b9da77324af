"""The page of the principles, from results made up."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_page import Reader

from nas.genome import cost
from nas.principles.judging.evidence import FEATURES, Evidence
from nas.principles.judging.verdict import Look
from nas.principles.study_file import Design, PrincipleStudy
from nas.principles.training.plan import Plan
from nas.principles.training.reading import Reading
from nas.report.principles.page import page
from nas.report.principles.plots import Mark, Scale, interval, lines, rounded, scale, steps
from nas.report.principles.sentences import caution, change, sentence
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
    looks=(3, 6),
    sd=1.0,
    population=6,
    futile=0.0,
    keys=("a00", "h01", "h10", "h20"),
)


def made(path: Path, gain: float = 0.1) -> Reading:
    """All trainings done: networks with a 5x5, or plain ones, have `gain` more error."""
    experiment = Experiment(name="x", space="principles", data="digits", objectives=("error",), workers=2)
    plan, dice = Plan(PrincipleStudy(experiment, DESIGN)), np.random.default_rng(0)
    records = {}
    for number, (key, training) in enumerate(plan.all().items()):
        worse = any(word in training.purpose for word in ("5x5", "plain, deep", "p10 plain"))
        error = 0.4 + gain * worse + float(dice.normal(0, 0.005))
        scores = tuple(Score(epoch, error + 0.1 / epoch, 1.0, 2.0, 1.0 + worse) for epoch in range(1, 6))
        graph = training.graph
        records[key] = TrialRecord(number, {}, graph, key[0], cost(graph), key[1], scores, "complete", seconds=2.0)
    return Reading(plan, records, path)


def run(path: Path, reading: Reading) -> Run:
    return Run(
        path, reading.family.experiment, tuple(reading.records.values()), {}, f"nas principles {EVIL}", {EVIL: EVIL}
    )


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return made(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def text(reading: Reading) -> str:
    seen = [Evidence(EVIL, FEATURES[0], 0.4, 0.01, 30)]
    return page(reading, seen, run(reading.path, reading))


def test_the_page_is_whole_offline_and_not_to_be_broken(text: str) -> None:
    found = Reader(text)
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)" in text
    assert not re.search(r'(?:src|href)="(?!#)', text)
    identities = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(set(identities)) == len(identities)
    links = {attributes["href"] for attributes in found.every("a")}
    assert {str(link)[1:] for link in links} <= set(map(str, identities))


def test_it_says_how_each_claim_came_out(text: str, reading: Reading) -> None:
    words = {verdict.principle.key: verdict.word for verdict in reading.verdicts}
    assert words == {"a00": "supported", "h01": "supported", "h10": "supported", "h20": "undecided"}
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


def test_an_empty_run_has_a_page(tmp_path: Path, reading: Reading) -> None:
    nothing = Reading(reading.plan, {}, tmp_path)
    assert "3 undecided" in Reader(page(nothing, (), run(tmp_path, nothing))).words


def test_sentences_follow_the_verdict(reading: Reading, tmp_path: Path) -> None:
    verdicts = {verdict.principle.key: verdict for verdict in reading.verdicts}
    assert sentence(verdicts["h01"]).startswith("Supported: one 5x5 - two 3x3 (validation error) is +")
    assert re.search(r"\d+ seeds would tell", change(verdicts["h20"]))
    against = {verdict.principle.key: verdict for verdict in made(tmp_path, -0.1).verdicts}["h01"]
    assert sentence(against).startswith("Refuted: ")
    assert "below the least effect worth the claim" in sentence(against)
    finding = replace(verdicts["h01"].findings[0], images=20.0)
    assert "other images" in caution(replace(verdicts["h01"], look=Look(3, (finding,))))
    assert caution(verdicts["h01"]) == ""


def test_the_scale_of_effects_is_even_about_zero_and_holds_all() -> None:
    on = scale([-3.0, 20.0])
    assert 0 < on.at(-3.0) < on.at(0.0) < on.at(1.0) < on.at(20.0) < 100
    assert on.at(1e9) == 100
    assert Scale(-5, 5).at(0) == pytest.approx(50)
    assert on.ticks == [-3, -1, 0, 1, 3, 10]


def test_plots_are_drawn_to_their_box() -> None:
    found = Reader(interval(Mark(1.0, 0.5, 1.5, 0.0, 2.0), Scale(-5, 5), "supported", "x"))
    assert [float(str(line["x1"]).rstrip("%")) for line in found.every("line")][-1] > 50
    chart = Reader(lines([steps([1.0, 2.0, 4.0], 0.3, (0.0, 5.0))], "label", "x", "y"))
    (line,) = chart.every("polyline")
    points = [tuple(map(float, pair.split(","))) for pair in str(line["points"]).split()]
    assert all(0 <= value <= 100 for point in points for value in point)
    assert points[0] == (1.0, 99.0)
    assert points[-1] == (99.0, 1.0)


def test_probabilities_are_written_short() -> None:
    assert [rounded(p) for p in (0.5, 0.034, 0.0012, 3e-7, 0.0)] == ["0.50", "0.034", "0.0012", "< 0.0001", "< 0.0001"]
