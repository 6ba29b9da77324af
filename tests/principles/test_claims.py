import json
from dataclasses import replace
from pathlib import Path

import pytest
from nas.principles.claims.scale import Scale, network_count, relative_gap, solve_width

from nas.errors import BudgetError, ExperimentError, GenomeError
from nas.genome.cost import cost
from nas.genome.fingerprint import fingerprint
from nas.genome.task import Task
from nas.principles.claims import principle_registry, principles, select_principles
from nas.principles.claims.counts import COUNTS
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Match, Principle
from nas.principles.judging.results import Result

TASK = Task("cifar10", (3, 32, 32), 10)
SMALL, FULL = Scale(TASK, 16, 16, 8, 32), Scale(TASK)
KNOWN = principles()
PUBLISHED = json.loads(Path(__file__).with_name("pairs.json").read_text(encoding="utf-8"))
EXPECTED = {1, 2, *range(4, 11), *range(12, 19), 20, 23, 25, 27, *range(31, 37)} - {11}


@pytest.mark.parametrize("scale", [SMALL, FULL], ids=["small", "full"])
@pytest.mark.parametrize("principle", KNOWN.values(), ids=KNOWN)
def test_arms_are_matched_within_the_stated_tolerance(principle: Principle, scale: Scale) -> None:
    drawn = principle.graphs(scale)
    assert principle.matches or principle.unmatched
    for match in principle.matches:
        assert match.tolerance <= 0.15
        counts = [network_count(drawn[arm], match.quantity) for arm in match.arms]
        assert max(counts) <= (1 + match.tolerance) * min(counts)


def test_arms_cost_what_the_published_pairs_do() -> None:
    for key, arms in PUBLISHED.items():
        drawn = KNOWN[key].graphs(FULL)
        assert {arm: [cost(drawn[arm]).params, cost(drawn[arm]).macs] for arm in arms} == arms


@pytest.mark.parametrize("principle", KNOWN.values(), ids=KNOWN)
def test_a_claim_is_complete(principle: Principle) -> None:
    assert principle.claim.endswith(".")
    assert principle.citation
    assert (principle.paper is None) == (principle.paper_note == "")
    for bound in principle.bounds:
        assert set(bound.weights) <= set(principle.arms)
        assert sum(bound.weights.values()) == pytest.approx(0)
        assert bound.null <= bound.margin <= bound.expected or bound.null == bound.margin < bound.expected
        assert hasattr(Result(0, 0, 0), bound.metric)
    compared = {arm for bound in principle.bounds for arm in bound.weights}
    prints = [fingerprint(graph) for arm, graph in principle.graphs(SMALL).items() if arm in compared]
    assert len(set(prints)) == (1 if principle.control else len(prints))


def test_every_expected_principle_exists() -> None:
    assert {f"h{number:02}" for number in EXPECTED} <= set(KNOWN)


def test_unmatched_arms_are_rejected_with_their_counts() -> None:
    wrong = replace(KNOWN["h07"], matches=(Match("macs", 0.01, ("reduced", "whole")),))
    with pytest.raises(GenomeError, match=r"h07: macs differ .*reduced 1,192,576, whole 2,470,528"):
        wrong.graphs(SMALL)


def test_widths_are_solved_to_the_nearest_count() -> None:
    target = pairs(SMALL)
    for factor in (0.7, 1.0, 1.6):
        other = pairs(replace(SMALL, width=round(16 * factor)))
        solution = solve_width(lambda f: pairs(replace(SMALL, width=max(1, round(16 * f)))), other)
        assert relative_gap([solution, other], "macs") == 0
    with pytest.raises(BudgetError, match="no width"):
        solve_width(lambda factor: target, pairs(FULL))


def test_an_unknown_principle_is_rejected_by_name() -> None:
    with pytest.raises(ExperimentError, match=r"'h99'.*h01"):
        select_principles(("h99",))


def test_a_principle_is_registered_from_outside_the_package() -> None:
    mine = replace(KNOWN["h01"], key="z01", claim="A claim of my own.")
    with pytest.raises(ExperimentError, match="'h01' is registered already"):
        principle_registry().register(KNOWN["h01"])
    principle_registry().register(mine)
    try:
        assert select_principles(("z01",)) == [mine]
        assert list(principles())[-1] == "z01"
    finally:
        principle_registry().unregister("z01")
    assert principles() == KNOWN


def test_claims_about_cost_are_decided_by_counting() -> None:
    outcomes = {count.key: count.outcome for count in COUNTS}
    assert {key for key, word in outcomes.items() if word == "refuted"} == {"c04", "c05"}
    formatted = {count.key: count.formatted for count in COUNTS}
    assert formatted["c01"] == "28.0%"
    assert formatted["c04"] == "271,351,808"
    assert formatted["c05"] == "8.7 times"
