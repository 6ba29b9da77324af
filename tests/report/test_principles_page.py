"""The page of the principles, and the values beside it, from simulated results."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_browser import BROWSER, driven, heard, opened
from test_page import Reader

from nas.genome.task import Task
from nas.principles.claims import principles
from nas.principles.claims.principle import Arm, Principle, better, interaction
from nas.principles.claims.setting import Setting
from nas.principles.judging.evidence import FEATURES, Evidence
from nas.principles.judging.plan import Plan
from nas.principles.judging.study_results import StudyResults
from nas.principles.study_file import Design, PrincipleStudy, read_study
from nas.report.principles.page import principles_page
from nas.report.principles.plots import (
    AxisScale,
    Mark,
    Series,
    axis_scale,
    format_probability,
    interval_row,
    line_chart,
)
from nas.report.principles.published import contrasts_frame, trainings_frame, write_values
from nas.report.principles.scale import arm_text, optimizer_steps, pixels_text, validation_text
from nas.report.principles.sentences import complete_settings, depth_caution, headline, sentence, what_would_change
from nas.search.experiment import Experiment
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.training.metrics import misclassified_text
from nas.training.score import Score

EVIL = "<script>alert(1)</script>"
FORMULA = "=HYPERLINK(1)"
KEYS = ("a00", "a01", "h01", "h02", "h09", "h10", "h13", "h14")
DESIGN = Design(settings=6, side=8, width=(8, 12), shallow=(8,), deep=(14,), worth=0.5, keys=KEYS)
EXPERIMENT = Experiment(
    name="x", space="principles", data="digits", objectives=("error",), workers=2, train_images=1_000, validation=0.2
)
GAINS = {"h01 one 5x5": 6.0, "h09 plain, deep": 4.0, "h13 norm after": 6.0, "h14 dense": 6.0}
"""Percent that are added to the errors of some arms."""
ROOT = Path(__file__).parents[2]


def simulated(
    study: PrincipleStudy, path: Path, gains: Mapping[str, float], settings: int = 1_000, sd: float = 0.2
) -> StudyResults:
    """The trainings of the first settings, with errors around 40 % and a loss that follows them."""
    plan, rng, records = Plan(study), np.random.default_rng(0), {}
    indices = {study.seed(index) for index in range(min(settings, study.design.settings))}
    for number, (key, training) in enumerate(plan.trainings.items()):
        percent = gains.get(training.purpose.split(", setting")[0], 0.0) + float(rng.normal(0, sd))
        error = 0.4 * exp(percent / 100)
        scores = tuple(Score(epoch, error + 0.1 / epoch, 1.0, 2.0, error + 1 / epoch) for epoch in range(1, 6))
        if key[2] in indices:
            records[key] = replace(training.record, number=number, scores=scores, state="complete", seconds=2.0)
    return StudyResults(plan, records, path)


def run(results: StudyResults) -> Run:
    records: tuple[TrialRecord, ...] = tuple(results.records.values())
    return Run(results.path, results.study.experiment, records, {}, f"nas principles {EVIL}", {EVIL: EVIL})


def page(results: StudyResults) -> str:
    return principles_page(results, [Evidence(EVIL, FEATURES[0], 0.4, 0.01, 30)], run(results))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    return simulated(PrincipleStudy(EXPERIMENT, DESIGN), tmp_path_factory.mktemp("run"), GAINS)


@pytest.fixture(scope="module")
def text(results: StudyResults) -> str:
    return page(results)


@dataclass(frozen=True)
class Invented(PrincipleStudy):
    """A study of one claim whose texts and recipe are anything but usual."""

    @property
    def principles(self) -> list[Principle]:
        known = principles()["h01"]
        arms = {
            FORMULA: Arm(known.arm("two 3x3").build, {"label_smoothing": 0.0, "epochs": 2}),
            EVIL: known.arms["one 5x5"],
        }
        return [replace(known, claim=EVIL, caveat=EVIL, arms=arms, bounds=(better(EVIL, FORMULA, 1.0),), matches=())]


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    study = Invented(EXPERIMENT, replace(DESIGN, keys=("h01",)))
    return simulated(study, tmp_path_factory.mktemp("invented"), {})


def test_the_page_is_offline_and_links_to_itself_and_to_the_values_only(text: str) -> None:
    found = Reader(text)
    identities = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(set(identities)) == len(identities)
    links = {str(attributes["href"]) for attributes in found.every("a")}
    assert links - {f"#{identity}" for identity in identities} == {"contrasts.csv", "trainings.csv"}
    assert not re.search(r'src="', text)


def test_it_escapes_what_others_wrote(text: str, invented: StudyResults) -> None:
    for each in (text, page(invented)):
        assert EVIL not in each
        assert "&lt;script&gt;alert(1)" in each


def test_it_states_the_outcome_of_each_claim(text: str, results: StudyResults) -> None:
    outcomes = {verdict.principle.key: verdict.outcome for verdict in results.verdicts}
    assert {key: outcomes[key] for key in KEYS[2:]} == {
        "h01": "holds", "h02": "too small", "h09": "in part", "h10": "holds", "h13": "in part", "h14": "opposite",
    }  # fmt: skip
    said = Reader(text).words
    assert ("Of 6 design principles 2 hold, 2 hold in part, 1 is smaller than worth it, 1 is the opposite and 0 are "
            "undecided") in said  # fmt: skip
    assert "In the paper: +3.45 points" in said
    assert "Observational" in said


def test_it_states_the_scale_in_the_header_and_in_every_article(text: str) -> None:
    said = Reader(text).words
    steps = (
        f"{EXPERIMENT.recipe.epochs * 16:,} optimizer steps of 64 images ({EXPERIMENT.recipe.epochs} epochs of 1,000"
    )
    assert said.count(steps) == 1 + len(KEYS)
    assert "1,000 for training and 20 % of a data set for validation, at 8 pixels per side" in said
    assert len(re.findall(r"8 pixels per side, [\d.]+ [kM]?( to [\d.]+ [kM]?)? ?MACs per image", said)) == len(KEYS)


def test_pixels_are_those_that_the_networks_see() -> None:
    settings = [Setting(Task("x", (3, side, side), 10), side=16, width=12) for side in (32, 28, 16)]
    assert pixels_text(settings) == "14 or 16 pixels per side"
    assert pixels_text([setting.enlarged(2) for setting in settings[:1]]) == "32 pixels per side"


def test_images_for_validation_are_counted_where_trainings_recorded_them(results: StudyResults) -> None:
    counts = dict(zip(results.records, (3, 5, 3), strict=False))
    records = {
        key: replace(results.records[key], scores=(Score(1, 0.5, misclassified=misclassified_text(np.ones(n, bool))),))
        for key, n in counts.items()
    }
    assert validation_text(replace(results, records=records)) == "3 or 5"


def test_the_forest_has_each_bound_with_zero_its_threshold_and_its_values(text: str, results: StudyResults) -> None:
    forest = Reader(text[text.index('<ol class="forest">') : text.index("</ol>") + 5])
    lines = [str(line["class"]) for line in forest.every("line")]
    bounds = [finding for verdict in results.verdicts for finding in verdict.findings]
    assert [lines.count(name) for name in ("zero", "threshold", "span")] == [len(bounds)] * 3
    assert lines.count("value") == len(bounds) * DESIGN.settings
    marks = [str(path["class"]) for path in forest.every("path")]
    assert marks.count("known-mark") == 2
    assert "paper +3.45 points" in forest.words
    order = [str(link["href"])[1:] for link in forest.every("a")]
    assert order[-2:] == ["a01", "a00"]
    assert order.index("h01") < order.index("h13") < order.index("h02") < order.index("h14")


def test_a_control_says_whether_its_interval_has_the_known_effect(text: str, results: StudyResults) -> None:
    assert text.count('class="verdict covered"') == 2 * 3  # in the forest, its heading and its table
    control = next(verdict for verdict in results.verdicts if verdict.principle.key == "a01")
    by_arm = results.by_principle["a01"]
    assert "which covers the known effect, +3.00 %" in sentence(control, by_arm, DESIGN)
    wrong = replace(control, principle=replace(control.principle, control=9.0))
    assert "does not cover the known effect, +9.00 %" in sentence(wrong, by_arm, DESIGN)


def test_every_principle_has_its_networks_and_its_curves(text: str) -> None:
    assert text.count('class="net"') == 2 * len(KEYS)
    assert text.count('class="lines"') == len(KEYS)
    assert text.count('class="settings"') == len(KEYS)


def test_all_is_folded_and_a_link_leads_inside(text: str) -> None:
    found = Reader(text)
    folded = found.every("details")
    assert len(folded) == 2 * len(KEYS) + 3  # each principle and its drawings, counts, power and the settings
    assert not any("open" in attributes for attributes in folded)
    inside = re.findall(r'</summary><div id="(\w+)">', text)
    assert sorted(inside) == sorted(KEYS)


def test_an_unfinished_run_has_a_page(tmp_path: Path, results: StudyResults) -> None:
    nothing = StudyResults(results.plan, {}, tmp_path)
    assert "6 are undecided" in Reader(page(nothing)).words
    assert "Undecided until 6 settings are complete: 0." in Reader(page(nothing)).words
    one, some = (simulated(results.study, tmp_path, GAINS, settings) for settings in (1, 4))
    assert "Undecided until 6 settings are complete: 1." in Reader(page(one)).words
    assert "Undecided until 6 settings are complete: 4; so far one 5x5 - two 3x3" in Reader(page(some)).words


def test_sentences_follow_the_verdict(results: StudyResults, tmp_path: Path) -> None:
    said = {verdict.principle.key: sentence(verdict, results.by_principle[verdict.principle.key], DESIGN)
            for verdict in results.verdicts}  # fmt: skip
    assert said["h01"].startswith("Holds: one 5x5 - two 3x3 (validation error) is +")
    assert said["h01"].endswith(" in the mean over 6 settings, above +0.50 %.")
    assert said["h02"].endswith("below +0.50 %.")
    assert said["h14"].startswith("The opposite: ")
    assert said["h14"].endswith("below 0.")
    assert re.match(r"Holds in part. .*original \(validation error\): holds, .*: too small, ", said["h13"])
    noisy = {v.principle.key: v for v in simulated(results.study, tmp_path, {}, sd=2.0).verdicts}["h01"]
    assert sentence(noisy, results.by_principle["h01"], DESIGN).endswith("+0.50 % is inside the interval.")
    needed = noisy.settings_needed(DESIGN)
    assert f"{needed:,} settings would narrow the widest interval to 0.50 %" in what_would_change(noisy, DESIGN)


def test_the_headline_agrees_with_its_numbers(results: StudyResults) -> None:
    (one,) = (verdict for verdict in results.verdicts if verdict.principle.key == "h14")
    assert headline([one]).startswith("Of 1 design principle 0 hold, 0 hold in part, 0 are smaller")
    assert "1 is the opposite" in headline([one])


def test_depth_is_a_caution_where_one_side_is_deeper(text: str, results: StudyResults) -> None:
    by_arm = results.by_principle["h10"]
    depths = {"plain, deep": 14.0, "residual, deep": 14.0, "plain, shallow": 8.0, "residual, shallow": 8.0}
    deep, shallow = ("plain, shallow", "plain, deep"), ("residual, shallow", "residual, deep")
    assert depth_caution([interaction(deep, shallow, 1.0)], depths, by_arm) == ""
    said = depth_caution([better(*deep, 1.0)], depths, by_arm)
    losses = [result.train_loss for result in by_arm["plain, deep"] if result]
    assert f"plain, deep 14 layers, {np.mean(losses):.3f} nats" in said
    assert depth_caution([better(*deep, 1.0)], depths | {"plain, deep": 10.0}, by_arm) == ""
    article = text[text.index('id="h09"') :]
    assert "Confounded with depth" in article[: article.index("</article>")]


def test_arms_say_how_their_training_differs(invented: StudyResults) -> None:
    said = Reader(page(invented)).words
    assert "label_smoothing 0.0, epochs 2 and 32 optimizer steps" in said
    assert arm_text(Arm(principles()["h01"].arm("one 5x5").build, handicap=3.0), EXPERIMENT) == "3 % added to its error"
    assert optimizer_steps(EXPERIMENT.model_copy(update={"train_images": None})) is None


def test_deviations_are_those_of_the_log(text: str, results: StudyResults, tmp_path: Path) -> None:
    assert "Deviations from the plan</h2><p>None.</p>" in text
    (tmp_path / "log.txt").write_text("now  plan changed after 81 trainings: settings from 6 to 12\n")
    changed = replace(results, path=tmp_path)
    assert "plan changed after 81 trainings: settings from 6 to 12" in Reader(page(changed)).words


def test_contrasts_follow_from_the_trainings_that_are_published(results: StudyResults) -> None:
    contrasts, trainings = contrasts_frame(results), trainings_frame(results)
    measured = {(row["claim"], row["arm"], row["setting"]): row for row in trainings.to_dict("records")}
    bounds = {(each.key, bound.name, bound.metric): bound for each in results.study.principles for bound in each.bounds}
    assert len(contrasts) == len(bounds) * DESIGN.settings
    for row in contrasts.to_dict("records"):
        weights = bounds[row["claim"], row["bound"], row["metric"]].weights
        arms = {arm: measured[row["claim"], arm, row["setting"]][row["metric"]] for arm in weights}
        terms = (weight * (100 * log(arms[arm]) if row["metric"] == "error" else arms[arm])
                 for arm, weight in weights.items())  # fmt: skip
        assert row["value"] == pytest.approx(sum(terms))
    means = contrasts.groupby(["claim", "bound", "metric"]).value.mean()
    for verdict in results.verdicts:
        for finding in verdict.findings:
            key = verdict.principle.key, finding.bound.name, finding.bound.metric
            assert finding.estimate.mean == pytest.approx(means[key])


def test_published_values_are_files_that_no_spreadsheet_runs(invented: StudyResults, tmp_path: Path) -> None:
    write_values(invented, tmp_path)
    trainings, contrasts = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("trainings", "contrasts"))
    assert set(trainings.arm) == {f"'{FORMULA}", EVIL}
    assert set(contrasts.bound) == {f"'{FORMULA} - {EVIL}"}
    assert trainings.recipe.notna().sum() == DESIGN.settings
    assert contrasts[["side", "width", "growth", "repeats", "shallow", "deep", "value"]].notna().all(axis=None)


def test_what_is_missing_is_empty_in_the_values(results: StudyResults, tmp_path: Path) -> None:
    some = simulated(results.study, tmp_path, {}, 4)
    write_values(some, tmp_path)
    contrasts, trainings = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("contrasts", "trainings"))
    assert set(contrasts[contrasts.value.isna()].setting) == {4, 5}
    assert set(trainings[trainings.error.isna()].setting) == {4, 5}
    assert complete_settings(some.by_principle["h01"]) == 4


def test_the_axis_of_effects_is_symmetric_around_zero_and_includes_all_values() -> None:
    on = axis_scale([-3.0, 20.0])
    assert 0 < on.at(-3.0) < on.at(0.0) < on.at(1.0) < on.at(20.0) < 100
    assert on.at(1e9) == 100
    assert AxisScale(-5, 5).at(0) == pytest.approx(50)
    assert on.ticks == [-3, -1, 0, 1, 3, 10]


def test_plots_are_drawn_to_their_box() -> None:
    mark = Mark(0.5, 1.0, 0.6, 1.5, (0.2, 1.4), known=2.0)
    assert sorted(mark.ends) == [0.2, 0.5, 0.6, 1.0, 1.4, 1.5, 2.0]
    found = Reader(interval_row(mark, AxisScale(-5, 5), "holds", "x"))
    at = {str(line["class"]): float(str(line["x1"]).rstrip("%")) for line in found.every("line")}
    assert at["zero"] == 50 < at["threshold"] < at["span"] < at["value"]
    chart = Reader(line_chart([Series("a", [(1.0, 40.0), (2.0, 30.0), (3.0, 20.0)])], "label", "x", "y"))
    (line,) = chart.every("polyline")
    assert str(line["points"]) == "1.00,1.00 50.00,50.00 99.00,99.00"


def test_probabilities_are_written_short() -> None:
    texts = [format_probability(p) for p in (0.5, 0.034, 0.0012, 3e-7, 0.0)]
    assert texts == ["0.50", "0.034", "0.0012", "< 0.0001", "< 0.0001"]


MEASURED = """<script>
const said = { tall: document.documentElement.scrollHeight, wide: document.documentElement.scrollWidth - innerWidth };
document.body.append(Object.assign(document.createElement("pre"), { id: "said", textContent: JSON.stringify(said) }));
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no chromium on the path")
def test_the_page_of_the_bundled_study_is_short_and_no_wider_than_its_window(tmp_path: Path) -> None:
    study = read_study(ROOT / "experiments/principles_small.toml")
    file = tmp_path / "principles.html"
    file.write_text(page(simulated(study, tmp_path, GAINS)), encoding="utf-8")
    document, console, asked = opened(driven(file, MEASURED), tmp_path / "profile", "--window-size=1280,1600")
    assert (console, asked) == ("", [])
    said = heard(document)
    assert said["tall"] <= 6_000
    assert said["wide"] <= 0
