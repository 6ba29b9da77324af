from dataclasses import replace

import numpy as np
import pytest
from made import DESIGN, results

from nas.principles.claims import principles
from nas.principles.claims.principle import Bound, Principle, better, equivalent, falls, interaction, interior
from nas.principles.judging.power import analysis_seeds, count_claims, planned_power
from nas.principles.judging.results import Result, contrast_values, images_error
from nas.principles.judging.verdict import Verdict, deciding_analysis, verdicts
from nas.training.score import Score

KNOWN = principles()
H01, H10 = KNOWN["h01"], KNOWN["h10"]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def alone(principle: Principle, effects: dict[str, float], sd: float = 1.0) -> Verdict:
    seeds = analysis_seeds(principle, DESIGN, 1)[-1]
    return verdicts([principle], {principle.key: results(principle, effects, rng(), sd, seeds)}, DESIGN)[0]


@pytest.mark.parametrize(
    ("effect", "outcome"),
    [(3.0, "supported"), (-3.0, "refuted"), (0.7, "undecided")],
    ids=["for", "against", "between"],
)
def test_a_difference_can_come_out_each_way(effect: float, outcome: str) -> None:
    verdict = alone(H01, {"one 5x5": effect})
    assert verdict.outcome == outcome
    assert (verdict.needed is None) == (outcome != "undecided")


def test_a_real_effect_that_is_not_worth_the_claim_refutes_it() -> None:
    verdict = alone(H01, {"one 5x5": 0.2}, sd=0.01)
    assert verdict.findings[0].estimate.low > 0
    assert verdict.outcome == "refuted"


def test_an_interaction_differs_from_two_main_effects() -> None:
    depth, both = {"plain, deep": 8.0, "residual, deep": 8.0}, {"plain, deep": 8.0}
    assert alone(H10, depth).outcome != "supported"
    assert alone(H10, both).outcome == "supported"


def test_equivalence_needs_both_sides() -> None:
    margin = replace(H01, bounds=equivalent("two 3x3", "one 5x5", 1.0))
    assert alone(margin, {}, sd=0.3).outcome == "supported"
    assert alone(margin, {"one 5x5": 2.0}, sd=0.3).outcome == "refuted"
    assert alone(margin, {}, sd=3.0).outcome == "undecided"


def test_the_same_genome_twice_is_equivalent() -> None:
    control = KNOWN["a00"]
    assert control.control
    assert alone(control, {}, sd=0.3).outcome == "supported"


def test_a_trend_is_the_fall_of_a_line() -> None:
    bound = falls(("a", "b", "c"), 0.5, 1.0)
    assert bound.weights == {"a": 1.0, "c": -1.0}
    four = falls(("a", "b", "c", "d"), 0.5, 1.0).weights
    line = {"a": 6.0, "b": 4.0, "c": 2.0, "d": 0.0}
    assert sum(four[arm] * value for arm, value in line.items()) == pytest.approx(6.0)


def test_an_interior_optimum_needs_both_ends_to_be_worse() -> None:
    bounds = interior(("8 layers", "32 layers"), ("14 layers", "20 layers"), 0.3, 1.5)
    principle = replace(KNOWN["h18"], bounds=bounds)
    assert alone(principle, {"8 layers": 3.0, "32 layers": 3.0}).outcome == "supported"
    assert alone(principle, {"8 layers": 3.0}).outcome != "supported"


def test_seeds_are_paired() -> None:
    """A shift that all arms share under a seed cancels."""
    made = results(H01, {"one 5x5": 1.0}, rng(), sd=0.01)
    shared = rng(1).normal(0, 20, 10)
    moved = {
        arm: [replace(r, error=r.error + s) for r, s in zip(row, shared, strict=True) if r] for arm, row in made.items()
    }
    assert contrast_values(H01.bounds[0], moved, 10) == pytest.approx(contrast_values(H01.bounds[0], made, 10))


def test_a_seed_that_failed_in_one_arm_counts_in_none() -> None:
    made = {arm: list(row) for arm, row in results(H01, {}, rng()).items()}
    made["one 5x5"][3] = None
    assert len(contrast_values(H01.bounds[0], made, 10)) == 9


def test_an_incomplete_analysis_decides_nothing() -> None:
    made = {arm: list(row) for arm, row in results(H01, {"one 5x5": 12.0}, rng()).items()}
    assert verdicts([H01], {"h01": made}, DESIGN)[0].outcome == "supported"
    made["one 5x5"][3] = None
    unfinished = verdicts([H01], {"h01": made}, DESIGN)[0]
    assert (unfinished.outcome, unfinished.complete) == ("undecided", False)
    assert unfinished.findings[0].estimate.mean > 8


def test_nothing_trained_is_undecided() -> None:
    empty = {arm: [None] * 10 for arm in H01.arms}
    verdict = verdicts([H01], {"h01": empty}, DESIGN)[0]
    assert (verdict.outcome, verdict.analysis.seeds, verdict.needed) == ("undecided", 0, None)


def test_what_an_analysis_decides_stays_decided() -> None:
    made = {arm: list(row) for arm, row in results(H01, {"one 5x5": 12.0}, rng()).items()}
    assert deciding_analysis(H01, made, DESIGN, 21) is not None
    made["one 5x5"][5:] = [Result(0.0, 0.0, 0.0)] * 5
    verdict = verdicts([H01], {"h01": made}, DESIGN)[0]
    assert (verdict.outcome, verdict.analysis.planned) == ("supported", 5)


def test_more_claims_need_stronger_evidence() -> None:
    made = results(H01, {"one 5x5": 1.5}, rng())
    others = [replace(H01, key=f"x{i}") for i in range(20)]
    more = {each.key: results(H01, {}, rng(2 + i)) for i, each in enumerate(others)}
    alone_, among = (
        verdicts([H01], {"h01": made}, DESIGN)[0],
        verdicts([H01, *others], {"h01": made, **more}, DESIGN)[0],
    )
    assert alone_.p < among.p


def test_the_seeds_needed_depend_on_the_deviation_and_not_on_the_effect() -> None:
    made = [alone(H01, {"one 5x5": effect}, sd=1.5) for effect in (0.2, 0.4)]
    assert {verdict.outcome for verdict in made} == {"undecided"}
    assert made[0].needed == made[1].needed
    assert (made[0].needed or 0) > 10


def test_controls_are_not_counted_as_claims() -> None:
    assert count_claims([H01, H10, KNOWN["a00"]]) == 2
    assert planned_power(KNOWN["a00"], DESIGN, 21) == planned_power(KNOWN["a00"], DESIGN, 1)


def test_a_claim_of_too_little_power_gets_the_first_analysis_only() -> None:
    weak = replace(H01, bounds=(better("two 3x3", "one 5x5", 0.01, 0.02),))
    strict = replace(DESIGN, min_power=0.1)
    assert analysis_seeds(weak, strict, 1) == (5,)
    assert analysis_seeds(H01, strict, 1) == (5, 10)
    verdict = verdicts([weak], {"h01": results(H01, {}, rng())}, strict)[0]
    assert (verdict.analysis.planned, verdict.complete) == (5, True)


def test_points_scale_margins_of_errors_and_not_of_losses() -> None:
    doubled = replace(DESIGN, points=2.0)
    error = better("two 3x3", "one 5x5", 0.5, 1.0)
    loss = better("two 3x3", "one 5x5", 0.5, 1.0, "train_loss")
    made = results(H01, {}, rng())
    found = [
        verdicts([replace(H01, bounds=(error, loss))], {"h01": made}, design)[0].findings
        for design in (DESIGN, doubled)
    ]
    assert [f.bound.margin for f in found[0]] == [0.5, 0.5]
    assert [f.bound.margin for f in found[1]] == [1.0, 0.5]


def test_the_images_error_is_paired_by_image() -> None:
    wrong = np.array([True] * 40 + [False] * 60)
    same = {arm: [Result(40.0, 1.0, 1.0, (), wrong)] * 3 for arm in H01.arms}
    assert images_error(H01.bounds[0], same, 3) == 0
    other = same | {"one 5x5": [Result(40.0, 1.0, 1.0, (), ~wrong)] * 3}
    assert images_error(H01.bounds[0], other, 3) == pytest.approx(100 * np.where(wrong, -1, 1).std(ddof=1) / 10)
    assert images_error(H01.bounds[0], results(H01, {}, rng()), 3) is None


def test_a_result_is_made_of_scores() -> None:
    scores = tuple(Score(epoch, 0.5 / epoch, 1.0, 1.0, 2.0 / epoch) for epoch in range(1, 11))
    found = Result.of(scores)
    assert (found.error, found.train_loss, found.early_loss) == pytest.approx((5.0, 0.2, 1.0))


def test_a_bound_names_what_it_compares() -> None:
    assert better("a", "b", 1, 1).name == "b - a"
    assert interaction(("a", "b"), ("c", "d"), 1, 1).name == "b + c - a - d"
    assert Bound({"a": 1.0, "b": -0.5, "c": -0.5}, 0, 0, 0).name == "a - 0.5 x b - 0.5 x c"
