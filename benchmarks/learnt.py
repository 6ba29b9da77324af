"""What a sampler learns on made search spaces with a smooth error, against uniform draws.

Both train 40 networks of the same space and budget with the same seed; each training has noise. Regret is the true
error of the best network trained, less the best known of that space: the lowest of both searches and of a reference,
which sees true errors (DRAWS draws, then CLIMBS neighbors of the best). The ratio of mean regrets is below 1 where the
sampler learns; its interval is of 10,000 bootstrap samples of the seeds, over all kinds of the geometric mean.
"""

from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.pool import Pool

import numpy as np
from numpy.typing import NDArray

from nas.errors import GenomeError
from nas.search.propose.candidate import make_candidate
from nas.search.propose.choices import neighbor
from nas.testing.space_checks import make_proposer, search_made_space
from nas.testing.spaces import TASK, MadeSpace, made_space

KINDS = ("widths", "lists", "numbers", "conditional", "refused", "huge")
"""Kinds of spaces in which there is something to learn."""
MIN_CHOICES = 4
TRAININGS = 40
NOISE = 0.01  # of one training; errors are from 0.02 to 0.92
DRAWS, CLIMBS = 1_000, 1_000
SAMPLES = 10_000
Pairs = NDArray[np.float64]
"""Regret of the sampler and of uniform draws, (seeds, 2)."""


def learnt_table(pool: Pool, sampler: str, kinds: Sequence[str], seeds: Sequence[int]) -> None:
    """Print mean regrets and their ratio with an interval, of each kind of space and of all."""
    print(
        f"| kind of space | seeds | regret of {sampler} | regret of random | ratio | 95 % |\n|---|---|---|---|---|---|"
    )
    pairs = [np.array(pool.starmap(regrets, [(sampler, kind, seed) for seed in seeds], chunksize=1)) for kind in kinds]
    for kind, each in zip(kinds, pairs, strict=True):
        mine, chance = each.mean(axis=0)
        print(f"| {kind} | {len(each)} | {mine:.4f} | {chance:.4f} | {_shown([each])} |")
    print(f"| all | {sum(map(len, pairs))} | | | {_shown(pairs)} |", flush=True)


def regrets(sampler: str, kind: str, seed: int) -> tuple[float, float]:
    """Return the regret of a sampler and of uniform draws in one space."""
    made = smooth_space(kind, seed)
    mine, chance = (best_error(made, name) for name in (sampler, "random"))
    best = min(mine, chance, reference(made))
    return mine - best, chance - best


def smooth_space(kind: str, seed: int) -> MadeSpace:
    """Return a space of a kind with a smooth error and one objective, where no training fails."""
    made = made_space(seed, kind, MIN_CHOICES)
    return replace(made, objectives=("error",), error="smooth", noise=NOISE, failing=0.0, earlier=0, workers=2)


def best_error(made: MadeSpace, sampler: str) -> float:
    """Return the true error of the best network that a search trains."""
    proposals = search_made_space(make_proposer(sampler, made, TRAININGS), made, TRAININGS)
    return min([made.true_error(proposal) for proposal in proposals], default=1.0)


def reference(made: MadeSpace) -> float:
    """Return the lowest true error found by many draws and by climbing from the best."""
    rng = made.rng("reference")
    drawn = [each for _ in range(DRAWS) if (each := made.draw(rng)) and made.budget.allows(each)]
    if not drawn:
        return 1.0
    best = min(drawn, key=made.true_error)
    for _ in range(CLIMBS):
        try:
            beside = make_candidate(made.space, TASK, neighbor(rng, best.choices, rng.choice((1, 1, 2))))
        except GenomeError:
            continue
        if made.budget.allows(beside):
            best = min(best, beside, key=made.true_error)
    return made.true_error(best)


def ratio_of_regrets(pairs: Sequence[Pairs]) -> tuple[float, float, float]:
    """Return the ratio of mean regrets, over several kinds the geometric mean, and a 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    sampled = np.zeros(SAMPLES)
    for each in pairs:
        means = each[rng.integers(len(each), size=(SAMPLES, len(each)))].mean(axis=1)
        sampled += _log_ratio(means) / len(pairs)
    ratio = np.exp(np.mean([_log_ratio(each.mean(axis=0, keepdims=True)) for each in pairs]))
    low, high = np.exp(np.quantile(sampled, (0.025, 0.975)))
    return float(ratio), float(low), float(high)


def _log_ratio(means: Pairs) -> NDArray[np.float64]:
    floored = np.log(np.maximum(means, 1e-6))
    return np.asarray(floored[:, 0] - floored[:, 1])


def _shown(pairs: Sequence[Pairs]) -> str:
    ratio, low, high = ratio_of_regrets(pairs)
    return f"{ratio:.2f} | {low:.2f} to {high:.2f}"
