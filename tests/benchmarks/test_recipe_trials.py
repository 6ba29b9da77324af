"""The trials of a recipe's settings: variants are recipes, rows come back, effects are paired by seed."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.recipe_trials import NETWORKS, VARIANTS, RecipeTrial, add_trial, read_trials, recipe_of, summary
from nas.genome import cost


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_a_recipe_of_its_own(variant: str) -> None:
    trial = RecipeTrial(variant, "78k", 0, 1_000, 7)
    assert recipe_of(trial).epochs == 7
    assert (recipe_of(trial) == recipe_of(replace(trial, variant="base"))) == (variant == "base")


def test_the_networks_are_within_their_names() -> None:
    assert {name: cost(graph).params // 1_000 for name, graph in NETWORKS.items()} == {"78k": 78, "22k": 21}
    assert all(cost(graph).macs <= 5_000_000 for graph in NETWORKS.values())


def test_rows_come_back_and_effects_are_paired(tmp_path: Path) -> None:
    file, made = tmp_path / "trials.csv", []
    for seed, base in enumerate((20.0, 30.0, 25.0)):
        for variant, more in (("base", 0.0), ("batch 128, rate 0.2", -1.5)):
            made.append(RecipeTrial(variant, "78k", seed, 100, 2, base + more, 1.0, 10.0 + more))
            add_trial(file, made[-1])
    assert read_trials(file) == made
    (_, line) = summary(made)
    assert "-1.50 [-1.50, -1.50]" in line
    assert line.split()[-1] == "0.85"
    assert len(list(summary(made[:2]))) == 1
    assert read_trials(tmp_path / "none.csv") == []
