"""What is said of choices is true of made-up populations where the truth is known."""

import random
import re
from pathlib import Path

import numpy as np
import pytest
from fake_run import record, run
from hypothesis import given
from hypothesis import strategies as st
from test_page import Reader

from nas.report.run.advice import advice
from nas.report.run.insight import epsilon_squared, family_choices, groups, influences, log_errors, main_primitive
from nas.report.run.page import run_page
from nas.report.run.population import families, main_primitives, parallel_coordinates, population_section
from nas.report.run.variance import jackknife, sequential_shares, variance_shares
from nas.report.run.view import view_of
from nas.search.trial import TrialRecord
from nas.training.score import Score


def scored(number: int, error: float, **choices: object) -> TrialRecord:
    scores = tuple(Score(epoch, error, 1.0, 0.1, 1.0) for epoch in (1, 2))
    return record(number, scores=scores, choices=choices)


def telling(count: int = 60) -> list[TrialRecord]:
    """The kind decides, the width is noise, `only` is never anything else."""
    dice = random.Random(0)
    made = []
    for number in range(count):
        kind, width = dice.choice(["good", "bad"]), dice.randrange(4, 64)
        error = (0.05 if kind == "good" else 0.3) * dice.uniform(0.9, 1.1)
        made.append(scored(number, error, kind=kind, width=width, only=1))
    return made


def test_the_choice_that_decides_comes_first_and_noise_counts_for_nothing() -> None:
    found = influences(telling())
    assert [each.choice for each in found] == ["kind", "width"]
    assert found[0].share > 0.95
    assert found[0].best == "good"
    assert found[1].share < 0.15
    assert family_choices(telling()) == ["kind"]


def test_few_trials_say_nothing() -> None:
    assert influences(telling(7)) == []
    assert population_section(view_of(run(Path(), records=tuple(telling(7))))) is None


@given(st.lists(st.tuples(st.floats(0.001, 1), st.sampled_from("abc")), min_size=2, max_size=40))
def test_a_share_lies_between_nothing_and_all(rows: list[tuple[float, str]]) -> None:
    share = epsilon_squared(np.array([value for value, _ in rows]), [label for _, label in rows])
    assert 0 <= share <= 1


def test_shares_add_up_and_chance_has_none() -> None:
    records = sorted(telling(), key=lambda each: each.error or 0)
    kind, width = variance_shares(records)
    assert (kind.choice, width.choice) == ("kind", "width")
    assert 0.9 < kind.low < kind.share < kind.high <= 1
    assert width.low == 0
    assert variance_shares(records[:29]) == []
    words = str(population_section(view_of(run(Path(), records=tuple(records)))).html)  # type: ignore[union-attr]
    shares = [int(each) for each in re.findall(r"</span></span>(\d+) %</span>", words)]
    assert sum(shares) == 100
    few = view_of(run(Path(), records=tuple(records[:12])))
    assert "Told from 30 complete trials on; there are 12." in Reader(run_page(few)).words


def test_a_choice_that_follows_another_explains_nothing_more() -> None:
    generator = np.random.default_rng(0)
    first, noise = generator.integers(0, 3, 60), generator.integers(0, 4, 60)
    values = first + generator.normal(0, 0.8, 60)
    alone = sequential_shares(values, [first])
    assert alone[0] == pytest.approx(epsilon_squared(values, list(map(str, first))))
    assert sequential_shares(values, [first, 2 - first, noise])[:2] == pytest.approx([alone[0], 0], abs=0.02)
    assert abs(sequential_shares(values, [noise])[0]) < 0.1
    assert sequential_shares(np.ones(60), [first]).tolist() == [0]


def test_the_share_is_right_on_average_and_its_interval_holds() -> None:
    true, covered, found = (2 / 3) / (2 / 3 + 0.64), 0, []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        first, second = generator.integers(0, 3, (2, 60))
        values = first + generator.normal(0, 0.8, 60)
        share, spread = sequential_shares(values, [first, second])[0], jackknife(values, [first, second])[0]
        covered += abs(share - true) <= 1.96 * spread
        found.append(share)
    assert np.mean(found) == pytest.approx(true, abs=0.03)
    assert covered >= 51


def test_numbers_with_many_values_fall_into_fifths_and_missing_ones_apart() -> None:
    records = [scored(n, 0.1, width=n) for n in range(50)] + [scored(50, 0.1)]
    labels = groups(records, "width")
    assert len(set(labels)) == 6
    assert labels[-1] == "none"
    assert labels[0] == "up to 9.8"
    assert labels[49] == "above 39.2"


def test_a_perfect_network_has_a_finite_logarithm() -> None:
    assert np.isfinite(log_errors([scored(0, 0.0), scored(1, 0.2)])).all()


def test_the_main_primitive_is_where_the_macs_are() -> None:
    made = record(3)
    expected = {"plain": "ConvStack", "residual": "BasicBlock", "dense": "DenseBlock"}
    assert main_primitive(made) == expected[str(made.choices["family"])]


def test_every_complete_trial_is_in_the_plots() -> None:
    seen = view_of(run(Path(), 60))
    done = len(seen.complete)
    for lines in families(seen)["choices"].values():
        assert sum(int(line["name"].rsplit("(", 1)[1][:-1]) for line in lines) == done
        for line in lines:
            assert line["y"][0] == 0
            assert line["y"][-1] == 1
            assert line["x"] == sorted(line["x"])
    crossed = parallel_coordinates(seen)
    points = [y for line in crossed["lines"].values() for y in line]
    assert len(points) == done * (len(crossed["axes"]) + 1)
    assert all(y is None or 0 <= y <= 1 for y in points)
    assert sorted(n for group in main_primitives(seen)["groups"] for n in group["customdata"]) == sorted(
        record.number for record in seen.complete
    )


@pytest.mark.parametrize(("trials", "said"), [(0, "Wait for a few trials"), (30, "nas finalists")])
def test_advice_fits_the_state(trials: int, said: str) -> None:
    found = advice(view_of(run(Path("runs/x"), trials)))
    assert 1 <= len(found) <= 3
    assert said in found[0]


def test_advice_names_a_range_whose_end_the_best_stand_at() -> None:
    records = tuple(scored(n, 0.5 - 0.001 * n, width=8 * (n // 10)) for n in range(60))
    found = advice(view_of(run(Path(), records=records)))
    assert any("width is at its largest value (40) in 6 of the 6 best" in line for line in found)
