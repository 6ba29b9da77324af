"""Scores before training, held against what training said."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from nas.errors import RunError
from nas.search.results import proxies as judging
from nas.search.results.proxies import ProxyResult, evaluate_proxies
from nas.search.store.run import load_run


def last(path: Path, most: int = 100) -> list[ProxyResult]:
    *steps, found = evaluate_proxies(load_run(path), most)
    assert len(steps) == min(most, 8)
    assert isinstance(found, list)
    return found


def test_counts_are_judged_beside_the_scores(finished_run: Path) -> None:
    found = {judged.name: judged for judged in last(finished_run)}
    assert set(found) == {"synflow", "jacob_cov", "grad_norm", "params", "macs"}
    records = load_run(finished_run).records
    errors = [record.error for record in records]
    expected = spearmanr([record.cost.macs for record in records], -np.array(errors)).statistic
    assert found["macs"].rank == pytest.approx(expected, abs=1e-12)
    largest = max(records, key=lambda record: record.cost.macs)
    assert found["macs"].error == largest.error
    for judged in found.values():
        assert -1 <= judged.low <= judged.high <= 1
        assert judged.networks == 8
        assert judged.regret >= 0


def test_a_perfect_score_and_a_constant_one() -> None:
    errors = [0.5, 0.1, 0.3, 0.2, 0.4]
    perfect = judging._judged("perfect", [-error for error in errors], errors)
    assert perfect.rank == pytest.approx(1)
    assert (perfect.error, perfect.regret) == (0.1, 0)
    constant = judging._judged("constant", [1.0] * 5, errors)
    assert (constant.rank, constant.low, constant.high) == (0, 0, 0)


def test_too_few_networks_are_refused(finished_run: Path) -> None:
    run = load_run(finished_run)
    with pytest.raises(RunError, match="4 trials are complete"):
        next(evaluate_proxies(dataclasses.replace(run, records=run.records[:4]), 10))
