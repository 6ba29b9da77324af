from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas.genome import Graph
from nas.genome import primitives as p
from nas.genome.task import Task
from nas.principles.judging.evidence import evidence_of_run, rank_correlation
from nas.search.experiment import Experiment
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.training.score import Score

DIGITS = Task("digits", (1, 8, 8), 10)


def network(shortcut: str, width: int) -> Graph:
    x = p.Stem(width)(DIGITS.image())
    for _ in range(2):
        x = p.BasicBlock(width, 1, shortcut)(x)
    return Graph.of(p.GapHead(10)(x))


def record(number: int) -> TrialRecord:
    """Shortcuts lower the error by 0.1 at any cost; a higher cost lowers it further."""
    given = number % 2 == 0
    graph = network("B" if given else "none", 4 + number)
    error = 0.5 - 0.01 * number - 0.1 * given
    score = Score(1, error, 1.0, 1.0, 1.0)
    return TrialRecord.of(graph, number, number, scores=(score,), state="complete")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path, Experiment(name="x", space="mixed", data="digits"), tuple(map(record, range(24))), {}, "", {})


def test_a_feature_that_helps_at_equal_cost_agrees_with_its_principle(run: Run) -> None:
    (found,) = [each for each in evidence_of_run(run) if each.feature.principle == "h10"]
    assert (found.outcome, found.networks) == ("agrees", 24)
    assert found.correlation > 0.5


def test_a_feature_that_never_varies_gives_no_evidence(run: Run) -> None:
    assert "h14" not in {each.feature.principle for each in evidence_of_run(run)}


def test_too_few_networks_give_no_evidence(run: Run) -> None:
    assert evidence_of_run(replace(run, records=run.records[:10])) == []


def test_cost_explains_nothing_within_a_band() -> None:
    bands = np.array_split(np.arange(30), 3)
    level = np.repeat([0.0, 10.0, 20.0], 10)
    rng = np.random.default_rng(3)
    values, errors = level + rng.random(30), level + rng.random(30)
    correlation, p = rank_correlation(values, errors, bands)
    assert abs(correlation) < 0.5
    assert p > 0.05
    assert rank_correlation(values, values, bands)[0] == pytest.approx(1.0)
    assert rank_correlation(np.zeros(30), errors, bands) == (0.0, 1.0)


def test_shuffled_errors_rarely_give_a_small_p() -> None:
    rng, bands = np.random.default_rng(4), np.array_split(np.arange(15), 3)
    chances = [rank_correlation(rng.random(15), rng.random(15), bands)[1] for _ in range(60)]
    assert 0 <= np.mean(np.array(chances) < 0.05) < 0.15
