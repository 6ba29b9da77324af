"""The trials of a recipe's settings: variants are recipes, and effects are paired by seed."""

import pandas as pd
import pytest

from benchmarks.recipe_trials import NETWORKS, VARIANTS, recipe_of, summary
from nas.genome import cost


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_a_recipe_of_its_own(variant: str) -> None:
    assert recipe_of(variant, 7).epochs == 7
    assert (recipe_of(variant, 7) == recipe_of("base", 7)) == (variant == "base")


def test_the_networks_are_within_their_names() -> None:
    assert {name: cost(graph).params // 1_000 for name, graph in NETWORKS.items()} == {"78k": 78, "22k": 21}
    assert all(cost(graph).macs <= 5_000_000 for graph in NETWORKS.values())


def test_effects_are_paired_by_seed() -> None:
    rows = [
        {"variant": variant, "network": "78k", "seed": seed, "images": 100, "epochs": 2, "error": base + more,
         "train_loss": 1.0, "seconds": 10.0 + more}
        for seed, base in enumerate((20.0, 30.0, 25.0))
        for variant, more in (("base", 0.0), ("batch 128, rate 0.2", -1.5))
    ]  # fmt: skip
    rows.append(rows[1] | {"seed": 9})  # without a base
    (_, line) = summary(pd.DataFrame(rows))
    assert "-1.50 [-1.50, -1.50]" in line
    assert line.split()[-1] == "0.85"
    assert len(list(summary(pd.DataFrame(rows[:2])))) == 1
