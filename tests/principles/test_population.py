import numpy as np
import pytest

from nas.genome.metrics import measure
from nas.genome.task import Task
from nas.principles.claims import principles
from nas.principles.claims.filters import pairs
from nas.principles.claims.population import POPULATIONS, Population
from nas.principles.claims.scale import Scale, network_count, relative_gap
from nas.principles.judging.comparison import band_height, compare_populations

SCALE = Scale(Task("cifar10", (3, 32, 32), 10), 16, 16, 8, 32)


@pytest.mark.parametrize("population", POPULATIONS, ids=lambda population: population.key)
def test_draws_share_their_budget_and_differ_in_the_principle(population: Population) -> None:
    assert population.principle in principles()
    for number in range(3):
        one, other = population.graphs(SCALE, number).values()
        assert relative_gap([one, other, pairs(SCALE)], "macs") < 0.06
        assert one != other


def test_draws_differ_from_each_other_and_are_reproducible() -> None:
    population = POPULATIONS[0]
    depths = [[measure(g)["depth"] for g in population.graphs(SCALE, n).values()] for n in range(6)]
    assert len({tuple(depth) for depth in depths}) > 2
    again = population.graphs(SCALE, 3)
    assert [network_count(g, "macs") for g in again.values()] == [
        network_count(g, "macs") for g in population.graphs(SCALE, 3).values()
    ]


def made(shift: float, draws: int = 10) -> dict[str, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    common = rng.normal(50, 5, draws)
    return {
        each.key: {name: common + i * shift + rng.normal(0, 0.5, draws) for i, name in enumerate(each.forms)}
        for each in POPULATIONS
    }


def test_the_better_population_is_found_by_rank() -> None:
    assert [each.outcome for each in compare_populations(made(3.0))] == ["supported"] * 4
    assert [each.outcome for each in compare_populations(made(-3.0))] == ["refuted"] * 4
    assert [each.outcome for each in compare_populations(made(0.0))] == ["undecided"] * 4
    assert compare_populations(made(3.0))[0].gain == pytest.approx(3.0, abs=1.0)


def test_draws_that_are_incomplete_do_not_count() -> None:
    errors = made(3.0)
    next(iter(errors["p01"].values()))[2] = np.nan
    sizes = [len(next(iter(each.errors.values()))) for each in compare_populations(errors)]
    assert sizes == [9, 10, 10, 10]
    assert compare_populations(made(3.0, draws=4)) == []


def test_the_band_of_a_distribution() -> None:
    assert band_height(10) == pytest.approx(0.4295, abs=1e-4)  # Massart 1990, corollary 1
