import importlib.util
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from nas.errors import BudgetError, ExperimentError, GenomeError
from nas.genome.cost import cost
from nas.genome.fingerprint import fingerprint
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.principles import study_file
from nas.principles.claims import principle_registry, principles, select_principles
from nas.principles.claims.counts import COUNTS
from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Match, Principle
from nas.principles.claims.setting import Setting, network_count, relative_gap, solve_width
from nas.principles.judging.results import Result
from nas.principles.study_file import PrincipleStudy, read_study
from nas.search.experiment_file import find_experiment
from nas.training.recipe import Recipe

TASKS = {"cifar10": Task("cifar10", (3, 32, 32), 10), "fashion_mnist": Task("fashion_mnist", (1, 28, 28), 10)}
TASK = TASKS["cifar10"]
SMALL, FULL = Setting(TASK, 16, 16, shallow=8, deep=32), Setting(TASK)
KNOWN = principles()
PUBLISHED = json.loads(Path(__file__).with_name("pairs.json").read_text(encoding="utf-8"))
DRAWS = 6
DIFFERENCE = 1.25  # of counts that a reader is told about
WORDS = {"params": ("parameter",), "macs": ("macs", "cost", "cheap"), "depth": ("depth", "deep", "layers")}

each_principle = pytest.mark.parametrize("principle", KNOWN.values(), ids=KNOWN)


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> PrincipleStudy:
    """Return the bundled study with the shapes of its images, and no need of their files."""
    monkeypatch.setattr(study_file, "task", lambda source: TASKS[source.name])
    return read_study(find_experiment("principles_small"))


@cache
def full(key: str) -> Mapping[str, Graph]:
    """Return the arms of a principle at the default setting."""
    return KNOWN[key].graphs(FULL)


@pytest.fixture(scope="module")
def facts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("facts", Path(__file__).parents[2] / "docs" / "source_facts.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@each_principle
def test_most_drawn_settings_match_the_arms_within_the_stated_tolerance(
    principle: Principle, study: PrincipleStudy
) -> None:
    assert all(0 <= match.tolerance <= 0.15 for match in principle.matches)
    assert bool(principle.matches) != bool(principle.unmatched)
    matched = 0
    for index in range(DRAWS):
        try:
            graphs = principle.graphs(study.setting(index))
        except (GenomeError, BudgetError):
            continue
        matched += 1
        for match in principle.matches:
            counts = [network_count(graphs[arm], match.quantity) for arm in match.arms]
            assert max(counts) <= (1 + match.tolerance) * min(counts)
    assert matched >= DRAWS / 2


@each_principle
def test_arms_vary_with_the_setting(principle: Principle) -> None:
    def networks(setting: Setting) -> list[str]:
        setting = setting.enlarged(principle.enlarged)
        return [fingerprint(principle.arm(name).build(setting)) for name in principle.arms]

    usual = networks(SMALL)
    assert networks(replace(SMALL, width=20)) != usual
    depths = replace(SMALL, repeats=2), replace(SMALL, shallow=14), replace(SMALL, deep=20)
    assert any(networks(setting) != usual for setting in depths)


def test_arms_cost_what_the_published_pairs_do() -> None:
    for key, arms in PUBLISHED.items():
        graphs = {arm: KNOWN[key].arm(arm).build(FULL) for arm in arms}
        assert {arm: [cost(graph).params, cost(graph).macs] for arm, graph in graphs.items()} == arms


@each_principle
def test_a_claim_is_complete(principle: Principle) -> None:
    assert principle.claim.endswith(".")
    assert principle.citation
    assert (principle.paper is None) == (principle.paper_note == "")
    for bound in principle.bounds:
        assert set(bound.weights) <= set(principle.arms)
        assert sum(bound.weights.values()) == pytest.approx(0)
        assert bound.expected >= 0 or bound.sense == "no worse"
        assert hasattr(Result(0, 0, 0), bound.metric)


@each_principle
def test_arms_are_trained_once_each(principle: Principle) -> None:
    arms = {name: (fingerprint(graph), principle.arm(name)) for name, graph in full(principle.key).items()}
    assert len({(code, tuple(sorted(arm.recipe.items()))) for code, arm in arms.values()}) == len(arms)
    compared = {name for bound in principle.bounds for name in bound.weights}
    assert compared <= set(arms)
    for _, arm in arms.values():
        Recipe(**arm.recipe)  # type: ignore[arg-type]  # a value of another kind is refused


@each_principle
def test_a_claim_or_its_caveat_says_what_else_differs(principle: Principle) -> None:
    costs = {name: cost(graph).as_dict() for name, graph in full(principle.key).items()}
    text = " ".join((principle.claim, principle.caveat, principle.unmatched)).lower()
    for bound in principle.bounds:
        for quantity, words in WORDS.items():
            counts = [costs[arm][quantity] for arm in bound.weights]
            assert max(counts) <= DIFFERENCE * min(counts) or any(word in text for word in words), quantity


def test_every_hypothesis_and_design_claim_has_a_principle_or_says_why_not(facts: ModuleType) -> None:
    hypotheses, design = facts.CLAIMS["hypothesis"], facts.CLAIMS["design"]
    assert [row["id"] for row in hypotheses] == [f"H{number:02}" for number in range(1, 29)]
    assert sum("why" in row for row in hypotheses) <= 4
    for row in (*hypotheses, *design):
        assert bool(row.get("keys")) != bool(row.get("why")), row
    named = {key for row in (*hypotheses, *design) for key in row.get("keys", ())}
    assert named <= set(facts.CITATIONS)
    assert all(row["id"].lower() in row["keys"] for row in hypotheses if "keys" in row)
    assert {key for key in KNOWN if key.startswith("d")} <= {key for row in design for key in row.get("keys", ())}


def test_every_empirical_claim_of_the_documents_is_listed(facts: ModuleType) -> None:
    known = {fact["id"]: fact["kind"] for fact in facts.FACTS}
    listed = {name for row in facts.CLAIMS["design"] for name in row.get("facts", ())}
    assert listed <= set(known)
    assert {name for name, kind in known.items() if kind == "empirical"} <= listed


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
    assert {key for key, word in outcomes.items() if word == "differs"} == {"c04", "c05"}
    formatted = {count.key: count.formatted for count in COUNTS}
    assert formatted["c01"] == "28.0%"
    assert formatted["c04"] == "271,351,808"
    assert formatted["c05"] == "8.7 times"


@pytest.mark.parametrize(("key", "first_grid"), [("h04", 32), ("d02", 32), ("h22", 16), ("d16", 16)])
def test_claims_about_grids_read_the_image_at_twice_the_side(key: str, first_grid: int) -> None:
    for graph in KNOWN[key].graphs(SMALL).values():
        assert [node.shape[1] for node in graph.nodes[:2]] == [32, first_grid]


def test_pooling_windows_of_three_and_two_lead_to_the_same_grids() -> None:
    for side in range(8, 33):
        setting = Setting(Task("images", (3, side, side), 10), width=8)
        overlapping, apart = KNOWN["d06"].graphs(setting).values()
        assert [node.shape for node in overlapping.nodes] == [node.shape for node in apart.nodes]
