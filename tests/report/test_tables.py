"""Single tables of the page, from runs made up for them."""

from dataclasses import replace
from pathlib import Path

from fake_run import record, run

from nas.report.run.proposals import proposals_section, proposals_table
from nas.report.run.trials import choices_text
from nas.report.run.view import view_of
from nas.search.trial import Reason


def test_what_a_sampler_weighed_is_a_share_of_its_candidates(tmp_path: Path) -> None:
    counted = {"proposed": 10, "trained": 5, "duplicate": 5, "candidates": 400, "candidate, outside budget: macs": 100}
    text = str(proposals_table(view_of(replace(run(tmp_path, 5), proposal_counts=counted))))
    assert "10 proposals" in text
    assert "400 candidates were counted" in text
    assert "100</td><td>25 %" in text
    assert "5</td><td>50 %" in text


def test_the_epochs_that_stopping_saved_are_said(tmp_path: Path) -> None:
    stopped = record(0, state="pruned", reason=Reason.STOPPED)
    made = run(tmp_path, records=(replace(stopped, scores=stopped.scores[:2]), record(1)))
    assert f"saved {made.experiment.recipe.epochs - 2} epochs" in str(proposals_table(view_of(made)))
    assert "saved" not in str(proposals_table(view_of(run(tmp_path, 5))))


def test_a_stopped_trial_is_not_a_failure(tmp_path: Path) -> None:
    stopped, lost = record(0, state="pruned", reason=Reason.STOPPED), record(1, state="failed", reason=Reason.LOST)
    made = run(tmp_path, records=(stopped, lost, record(2)))
    text = proposals_section(view_of(made)).html
    assert "stopped" not in text
    assert "lost: the machine, its connection or an idle worker failed</th><td>1</td>" in text


def test_a_network_without_choices_says_what_it_was_made_of() -> None:
    assert choices_text(record(9, choices={"width": 4}, parents=(3, 7))) == "edited from 3 and 7"
