"""Frontier: what is known is counted, only the error is modelled, and the next network is the one expected to push
the front furthest.

Candidates are drawn from the space, and from mutations of the front and of the most promising candidates, all inside
the budget and new. They are ranked by expected gain in hypervolume; with one objective that is the expected improvement
(Jones et al. 1998).
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nas.errors import ExperimentError
from nas.search.objectives import Objective, Vector
from nas.search.pareto import dominates
from nas.search.propose.candidate import Candidate
from nas.search.propose.choices import GuidedTrial, choices_key, neighbor
from nas.search.propose.samplers.acquisition import expected_hypervolume_improvement
from nas.search.propose.samplers.base import SamplerSetup
from nas.search.propose.samplers.surrogate import Array, Code, Encoder, Rows, Surrogate

UNIFORM = 100  # fresh candidates a proposal, of at most TRIES draws
TRIES = 200
PARENTS = 10
CHILDREN = 5  # a parent
GENERATIONS = 4  # of neighbours of the most promising
FITTED = 5  # times fewer of both where networks are moved to fit, which takes several counts each
KEPT = 300  # of the candidates that were drawn before and not chosen
MAX_LEARNT = 400  # networks the model learns from: its time grows with their cube


@dataclass(frozen=True)
class EncodedCandidate:
    """A network, and what the model reads of it."""

    candidate: Candidate
    code: Code


Known = tuple[EncodedCandidate, float]


class Frontier:
    """The sampler. Raises ExperimentError unless exactly one objective, the first, is measured."""

    def __init__(self, setup: SamplerSetup) -> None:
        first, *costs = setup.objectives
        if measured := [each.name for each in costs if not each.exact]:
            raise ExperimentError(
                f"sampler frontier models one measured objective, {first.name}; for {measured[0]} too, choose tpe"
            )
        self.costs, self.rng, self.peek = tuple(costs), random.Random(setup.seed), setup.peek
        self.share = FITTED if setup.fit else 1
        self.startup, self.max_learnt = setup.startup, MAX_LEARNT
        self.encoder = Encoder()
        self.known: list[Known] = []
        self.points = np.empty((0, len(setup.objectives)))  # objectives of the known
        self.dominated_by = np.empty(0, dtype=np.int64)  # by how many of the known each is
        self.seen: set[Any] = set()  # by choices: proposed, refused or trained
        self.waiting: dict[Any, EncodedCandidate] = {}  # proposed and not told
        self.pool: dict[Any, EncodedCandidate] = {}  # by choices
        self.ranked: list[EncodedCandidate] = []  # best last; of no use once anything is proposed or told

    def ask(self) -> GuidedTrial:
        if len(self.known) < self.startup:
            return GuidedTrial(self.rng)
        chosen = self._best()
        if chosen is None:
            return GuidedTrial(self.rng)
        name = choices_key(chosen.candidate.choices)
        self.seen.add(name)
        self.pool.pop(name, None)
        self.waiting[name] = chosen
        return GuidedTrial(self.rng, chosen.candidate.choices)

    def tell(self, trial: Any, candidate: Candidate | None, values: Vector | None) -> None:
        if trial is not None:
            self.seen.add(choices_key(trial.params))
            self.waiting.pop(choices_key(trial.params), None)
        if candidate is not None and values is not None:
            self.seen.add(choices_key(candidate.choices))
            self._learn(candidate, values)
            self.ranked = []

    def _learn(self, candidate: Candidate, values: Vector) -> None:
        """Remember a result, and by how many others each is dominated."""
        mine = np.array([values])
        before = self.points
        self.points = np.concatenate([before, mine])
        beaten = dominates(before, mine).sum()
        self.dominated_by = np.append(self.dominated_by + dominates(mine, before)[0], beaten)
        self.known.append((EncodedCandidate(candidate, self.encoder.encode(candidate)), values[0]))

    def _best(self) -> EncodedCandidate | None:
        if self.waiting or not self.ranked:
            with threadpool_limits(1, "blas"):  # beside busy workers a team of threads waits for its slowest
                self._gather()
                self.ranked = self._rank(Posterior(self.costs, self.encoder, self.learnt_from(), self.waiting.values()))
        return self.ranked.pop() if self.ranked else None

    def _gather(self) -> None:
        """Renew the pool: the most promising of the last, fresh draws, and neighbours of the best networks."""
        left = list(self.pool.items())[-KEPT:]
        self.pool = dict(left)
        for _ in range(TRIES // self.share):
            if len(self.pool) >= len(left) + UNIFORM:
                break
            self._take(GuidedTrial(self.rng))
        self._add_neighbors([self.known[i][0] for i in self._order()[:PARENTS]])

    def _rank(self, posterior: "Posterior") -> list[EncodedCandidate]:
        """The pool by gain, after neighbours of the most promising have joined it, and theirs."""
        found = list(self.pool.values())
        gains = posterior.gains(found)
        for _ in range(GENERATIONS):
            self._add_neighbors([found[i] for i in np.argsort(gains, kind="stable")[-PARENTS:]])
            more = list(self.pool.values())[len(found) :]
            gains = np.concatenate([gains, posterior.gains(more)])
            found += more
        ranked = [found[i] for i in np.argsort(gains, kind="stable")]
        self.pool = {choices_key(candidate.candidate.choices): candidate for candidate in ranked}
        return ranked

    def _add_neighbors(self, parents: list[EncodedCandidate]) -> None:
        """Let neighbours of some networks join the pool."""
        for parent in parents:
            for _ in range(CHILDREN // self.share):
                self._take(neighbor(self.rng, parent.candidate.choices, self.rng.choice((1, 1, 2, 3))))

    def _take(self, trial: GuidedTrial) -> None:
        found = self.peek(trial)
        if found is not None and (name := choices_key(found.choices)) not in self.seen and name not in self.pool:
            self.pool[name] = EncodedCandidate(found, self.encoder.encode(found))

    def _order(self) -> list[int]:
        """Places of the known: those that the fewest others beat first, of equals those of least error."""
        return [int(i) for i in np.lexsort((self.points[:, 0], self.dominated_by))]

    def learnt_from(self) -> list[Known]:
        """Return what the model learns from: all, or beyond `max_learnt` the latest half and the best of the rest."""
        if len(self.known) <= self.max_learnt:
            return self.known
        latest = len(self.known) - self.max_learnt // 2
        best = [self.known[i] for i in self._order() if i < latest]
        return best[: self.max_learnt // 2] + self.known[latest:]


class Posterior:
    """What the known and those in training lead to expect of others."""

    def __init__(
        self,
        costs: Sequence[Objective],
        encoder: Encoder,
        known: Sequence[Known],
        waiting: Iterable[EncodedCandidate],
    ) -> None:
        self.costs, self.encoder = costs, encoder
        done, running = [candidate for candidate, _ in known], list(waiting)
        self.rows = encoder.rows([candidate.code for candidate in done])
        self.surrogate = Surrogate(self.rows, [error for _, error in known])
        if running:
            self.surrogate.add_fantasies(self._encoded(running))
        points = np.concatenate([self.surrogate.believed()[:, None], self._costs(done + running)], axis=1)
        self.front = points[~dominates(points, points).any(axis=0)]
        self.reference = np.concatenate([[points[:, 0].max()], points[:, 1:].max(axis=0) * 1.1])

    def gains(self, candidates: list[EncodedCandidate]) -> Array:
        """The hypervolume each network is expected to add."""
        if not candidates:
            return np.empty(0)
        mean, spread = self.surrogate.predict(self._encoded(candidates))
        return expected_hypervolume_improvement(mean, spread, self._costs(candidates), self.front, self.reference)

    def _encoded(self, candidates: list[EncodedCandidate]) -> Rows:
        return self.encoder.rows([candidate.code for candidate in candidates], self.rows)

    def _costs(self, candidates: list[EncodedCandidate]) -> Array:
        rows = [[float(each.of(one.candidate)) for each in self.costs] for one in candidates]
        return np.array(rows).reshape(len(candidates), len(self.costs))
