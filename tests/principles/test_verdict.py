from dataclasses import replace

import numpy as np
import pytest
from made import DESIGN, results

from nas.principles.claims import principles
from nas.principles.claims.principle import Bound, Principle, better, equivalent, falls, interaction, interior
from nas.principles.judging.power import alpha_of_one, count_bounds, planned_power, threshold
from nas.principles.judging.results import Result, contrast_values
from nas.principles.judging.verdict import Verdict, verdicts
from nas.training.score import Score

KNOWN = principles()
H01, H10, H13 = KNOWN["h01"], KNOWN["h10"], KNOWN["h13"]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def alone(principle: Principle, effects: dict[str, float], sd: float = 1.0) -> Verdict:
    return verdicts([principle], {principle.key: results(principle, effects, rng(), sd)}, DESIGN)[0]


@pytest.mark.parametrize(
    ("effect", "sd", "outcome"),
    [(4.0, 1.0, "holds"), (-4.0, 1.0, "opposite"), (0.25, 0.05, "too small"), (0.5, 1.0, "undecided")],
)
def test_a_difference_can_come_out_each_way(effect: float, sd: float, outcome: str) -> None:
    verdict = alone(H01, {"one 5x5": effect}, sd)
    assert verdict.outcome == outcome
    assert (verdict.settings_needed(DESIGN) is None) == (outcome != "undecided")


@pytest.mark.parametrize("effect", np.linspace(-1.5, 1.5, 13))
def test_a_word_is_read_off_the_interval(effect: float) -> None:
    (finding,) = alone(H01, {"one 5x5": float(effect)}, 0.3).findings
    low, high = finding.estimate.low, finding.estimate.high
    true = {"holds": low > 0.5, "too small": 0 <= high < 0.5, "opposite": high < 0, "undecided": low <= 0.5 <= high}
    assert [word for word, holds in true.items() if holds] == [finding.word]


def test_what_loses_too_much_is_the_opposite_and_never_too_small() -> None:
    same = replace(H01, bounds=equivalent("two 3x3", "one 5x5"))
    assert threshold(same.bounds[0], DESIGN) == -0.5
    assert alone(same, {}, sd=0.1).outcome == "holds"
    lost = alone(same, {"one 5x5": 2.0}, sd=0.1)
    assert (lost.words, lost.outcome) == (["holds", "opposite"], "in part")
    assert alone(same, {}, sd=3.0).outcome == "undecided"


def test_a_claim_holds_in_part_where_one_of_its_bounds_does() -> None:
    found = alone(H13, {"norm after": 8.0})
    assert (found.words, found.outcome) == (["holds", "undecided"], "in part")
    assert alone(H13, {"norm after": 8.0, "ReLU before": 8.0}).outcome == "holds"
    assert alone(H13, {"norm after": -8.0}).outcome == "opposite"
    assert alone(H13, {"norm after": 0.1, "ReLU before": -0.1}, sd=0.05).outcome in ("too small", "opposite")


def test_an_interaction_differs_from_two_main_effects() -> None:
    depth, both = {"plain, deep": 8.0, "residual, deep": 8.0}, {"plain, deep": 8.0}
    assert alone(H10, depth).outcome != "holds"
    assert alone(H10, both).outcome == "holds"


def test_a_trend_is_the_fall_of_a_line() -> None:
    bound = falls(("a", "b", "c"), 1.0)
    assert bound.weights == {"a": 1.0, "c": -1.0}
    four = falls(("a", "b", "c", "d"), 1.0).weights
    line = {"a": 6.0, "b": 4.0, "c": 2.0, "d": 0.0}
    assert sum(four[arm] * value for arm, value in line.items()) == pytest.approx(6.0)


def test_an_interior_optimum_needs_both_ends_to_be_worse() -> None:
    bounds = interior(("8 layers", "32 layers"), ("14 layers", "20 layers"), 1.5)
    principle = replace(KNOWN["h18"], bounds=bounds)
    assert alone(principle, {"8 layers": 4.0, "32 layers": 4.0}).outcome == "holds"
    assert alone(principle, {"8 layers": 4.0}).outcome == "in part"


def test_settings_are_paired() -> None:
    """A shift that all arms share in a setting cancels."""
    made = results(H01, {"one 5x5": 1.0}, rng(), sd=0.01)
    shared = rng(1).normal(0, 20, 10)
    moved = {arm: [r.handicapped(s) for r, s in zip(row, shared, strict=True) if r] for arm, row in made.items()}
    assert contrast_values(H01.bounds[0], moved) == pytest.approx(contrast_values(H01.bounds[0], made))


def test_incomplete_results_decide_nothing() -> None:
    made = {arm: list(row) for arm, row in results(H01, {"one 5x5": 12.0}, rng()).items()}
    assert verdicts([H01], {"h01": made}, DESIGN)[0].outcome == "holds"
    made["one 5x5"][3] = None
    unfinished = verdicts([H01], {"h01": made}, DESIGN)[0]
    assert (unfinished.outcome, unfinished.complete, unfinished.settings) == ("undecided", False, 9)
    assert unfinished.findings[0].values[3] is None
    assert unfinished.findings[0].estimate.mean > 8


def test_nothing_trained_is_undecided() -> None:
    verdict = verdicts([H01], {"h01": {arm: [None] * 10 for arm in H01.arms}}, DESIGN)[0]
    assert (verdict.outcome, verdict.settings, verdict.settings_needed(DESIGN)) == ("undecided", 0, None)


def test_more_bounds_need_stronger_evidence() -> None:
    made = results(H01, {"one 5x5": 1.5}, rng())
    others = [replace(H01, key=f"x{i}") for i in range(20)]
    more = {each.key: results(H01, {}, rng(2 + i)) for i, each in enumerate(others)}
    (one,) = verdicts([H01], {"h01": made}, DESIGN)
    among = verdicts([H01, *others], {"h01": made, **more}, DESIGN)[0]
    assert one.findings[0].estimate.width < among.findings[0].estimate.width
    assert alpha_of_one([H01, *others], DESIGN) == pytest.approx(0.05 / 21)


def test_variances_are_moderated_among_claims_and_apart_for_losses() -> None:
    noisy = [replace(H01, key=f"x{i}") for i in range(8)]
    made = {each.key: results(H01, {}, rng(2 + i), sd=2.0) for i, each in enumerate(noisy)}
    quiet = results(H01, {}, rng(), sd=0.01)
    (one,) = verdicts([H01], {"h01": quiet}, DESIGN)
    among = verdicts([H01, *noisy], {"h01": quiet, **made}, DESIGN)[0]
    assert among.findings[0].estimate.width > 10 * one.findings[0].estimate.width
    loss = replace(H01, bounds=(better("two 3x3", "one 5x5", 0.1, "train_loss"),))
    apart = verdicts([loss, *noisy], {"h01": quiet, **made}, DESIGN)[0]
    assert apart.findings[0].estimate.width < 0.1


def test_the_settings_needed_depend_on_the_deviation_and_not_on_the_effect() -> None:
    made = [alone(H01, {"one 5x5": effect}, sd=1.5) for effect in (0.2, 0.4)]
    assert {verdict.outcome for verdict in made} == {"undecided"}
    needed = [verdict.settings_needed(DESIGN) or 0 for verdict in made]
    assert needed[0] == needed[1] > 10


def test_a_control_is_not_counted_and_says_whether_it_covers() -> None:
    a00, a01 = KNOWN["a00"], KNOWN["a01"]
    assert count_bounds([H01, H13, a00, a01]) == 3
    assert alone(a00, {}, sd=0.3).covers
    assert not alone(a00, {"in the other": 5.0}, sd=0.3).covers
    assert alone(a01, {"in the other": 3.0}, sd=0.3).covers
    assert alone(H01, {}).covers is None


def test_power_rises_with_settings_and_falls_with_bounds() -> None:
    few, many = (replace(DESIGN, settings=n, error_sd=6.0) for n in (6, 24))
    assert planned_power(H01, few, 0.01) < planned_power(H01, many, 0.01) < planned_power(H01, many, 0.05)


def test_a_result_is_made_of_scores() -> None:
    scores = tuple(Score(epoch, 0.5 / epoch, 1.0, 1.0, 2.0 / epoch) for epoch in range(1, 11))
    found = Result.of(scores)
    assert (found.error, found.train_loss, found.early_loss) == pytest.approx((5.0, 0.2, 1.0))
    assert found.handicapped(3.0).error == pytest.approx(5.0 * np.exp(0.03))
    assert found.handicapped(3.0).measured("error") - found.measured("error") == pytest.approx(3.0)
    assert replace(found, error=0.0).measured("error") == replace(found, error=0.01).measured("error")


def test_a_bound_names_what_it_compares() -> None:
    assert better("a", "b", 1).name == "b - a"
    assert interaction(("a", "b"), ("c", "d"), 1).name == "b + c - a - d"
    assert Bound({"a": 1.0, "b": -0.5, "c": -0.5}, "better", 0).name == "a - 0.5 x b - 0.5 x c"
