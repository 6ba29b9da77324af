"""The benchmark of epochs: what it counts, and what it says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_search_quality import TASK, small, small_table

from benchmarks.fidelity import POINTS, Run, TableSearch, report, share_to_reach
from benchmarks.judged_tables import JudgedTable


def curved() -> JudgedTable:
    """The small table, whose errors fall by a tenth per epoch to what a search is told."""
    known = small_table()
    networks = {
        name: replace(each, curves=(tuple(each.short[0] + (3 - epoch) / 10 for epoch in range(1, 4)),))
        for name, each in known.networks.items()
    }
    return JudgedTable(small, TASK, networks)


@pytest.mark.parametrize("halving", [0, 3])
def test_epochs_are_counted_and_the_best_complete_network_is_kept(halving: int) -> None:
    known = curved()
    budget, inside = known.inside(1.0)
    search = TableSearch(known, (1, 2, 3), Run("small", "random", halving, 0, 24), budget)
    steps = list(search.steps())
    assert steps[0][0] == 3
    assert steps[-1][1] == min(inside, key=known.judged)
    spent = [after for after, _ in steps]
    assert spent == sorted(spent)
    assert spent[-1] == 3 * 24 if not halving else spent[-1] < 3 * 24


def test_the_share_is_where_the_mean_falls_for_good() -> None:
    falling = np.linspace(2.0, 0.1, POINTS)
    assert share_to_reach(np.array([falling]), 2.5) == 1 / POINTS
    assert share_to_reach(np.array([falling]), 0.05) == 1.0
    assert share_to_reach(np.array([falling]), float(falling[9])) == pytest.approx(10 / POINTS)
    again = falling.copy()
    again[15] = 3.0
    assert share_to_reach(np.array([again]), 1.5) > 16 / POINTS


def test_the_report_compares_with_random_without_halving(capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for seed in range(3):
        for sampler, speed in (("random", 1.0), ("frontier", 4.0)):
            points = {f"regret_{point}": max(0.5, 4 - speed * point / 5) for point in range(1, POINTS + 1)}
            rows.append({"set": "x", "sampler": sampler, "halving": 0, "seed": seed, "own_error": 0.1} | points)
    report(pd.DataFrame(rows))
    said = capsys.readouterr().out
    assert "random after all epochs 0.500" in said
    assert "frontier   halving 0  3 seeds  4.00 [4.00, 4.00] times fewer" in said
