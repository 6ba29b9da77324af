"""How well zero-cost proxies, scores of untrained networks, would have ranked the networks of a finished search.

Each score is evaluated by its rank correlation with the validation error after training, next to parameters and MACs
as controls (White et al. 2022, "A deeper look at zero-cost proxies").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.errors import RunError
from nas.search.results.run_data import load_run_data
from nas.search.store.run import Run
from nas.search.trial import TrialRecord
from nas.training.data import Data

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 2_000
MIN_NETWORKS = 5  # networks, below which a rank correlation says nothing


@dataclass(frozen=True)
class ProxyResult:
    """One score of a run's networks.

    rank: Spearman's correlation of a higher score with a lower error, from -1 to 1; low and high: its 95 % bootstrap
    interval over networks. error: validation error of the network it ranks first; regret: how far that is above the
    lowest error, both fractions.
    """

    name: str
    networks: int
    rank: float
    low: float
    high: float
    error: float
    regret: float


def evaluate_proxies(run: Run, top: int) -> Iterator[TrialRecord | list[ProxyResult]]:
    """Score at most `top` complete networks of a run, drawn evenly; yields each, and the verdicts, best first, last.

    Raises RunError when fewer than five are complete or the images are not those of the search, and DataError when they
    cannot be read.
    """
    done = [record for record in run.records if record.error is not None]
    if len(done) < MIN_NETWORKS:
        raise RunError(f"{run.path}: {len(done)} trials are complete; evaluating scores takes at least {MIN_NETWORKS}")
    chosen = [done[i * len(done) // min(top, len(done))] for i in range(min(top, len(done)))]
    table: list[dict[str, float]] = []
    data = load_run_data(run).require_data()
    for record in chosen:
        table.append(_scores(data, record))
        yield record
    errors = [record.error or 0.0 for record in chosen]
    found = [_judged(name, [row[name] for row in table], errors) for name in table[0]]
    yield sorted(found, key=lambda judged: -judged.rank)


def _scores(data: Data, record: TrialRecord) -> dict[str, float]:
    from nas.training.zerocost import zero_cost_scores

    return zero_cost_scores(record.graph, data, record.seed)


def _judged(name: str, values: Sequence[float], errors: Sequence[float]) -> ProxyResult:
    import numpy as np
    from scipy.stats import rankdata

    score, error = np.asarray(values), np.asarray(errors)
    draws = np.random.default_rng(0).integers(len(score), size=(RESAMPLES, len(score)))
    ranks = np.stack([rankdata(score[draws], axis=1), rankdata(-error[draws], axis=1)])
    low, high = np.nanpercentile(_correlation(*ranks), [2.5, 97.5])
    whole = _correlation(rankdata(score)[None], rankdata(-error)[None])[0]
    best = float(error[score.argmax()])
    return ProxyResult(name, len(score), float(whole), float(low), float(high), best, best - float(error.min()))


def _correlation(first: "NDArray[np.float64]", second: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the rank correlation of rows; 0 where one is constant."""
    import numpy as np

    first = first - first.mean(1, keepdims=True)
    second = second - second.mean(1, keepdims=True)
    scale = np.sqrt((first**2).sum(1) * (second**2).sum(1))
    found: NDArray[np.float64] = np.divide((first * second).sum(1), scale, out=np.zeros(len(scale)), where=scale > 0)
    return found
