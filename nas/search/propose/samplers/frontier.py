"""Frontier: counts are exact, only the error is modelled, and the next network is the one with the largest expected
hypervolume improvement.

Candidates are drawn from the space, and from mutations of the front and of the most promising candidates, all inside
the budget and new. With one objective the acquisition function is the expected improvement (Jones et al. 1998).
"""

import logging
import random

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nas.errors import ExperimentError
from nas.search.objectives import Vector
from nas.search.pareto import dominates
from nas.search.propose.candidate import Candidate
from nas.search.propose.choices import ChoicesKey, GuidedTrial, choices_key, neighbor
from nas.search.propose.samplers.base import SamplerSetup, SamplerTrial
from nas.search.propose.samplers.curves import Curve
from nas.search.propose.samplers.encoding import Encoder
from nas.search.propose.samplers.posterior import EncodedCandidate, Known, Posterior
from nas.search.propose.samplers.surrogate import KernelSetting

logger = logging.getLogger(__name__)

STARTUP = 6  # random trials before the model is asked
UNIFORM = 100  # new candidates per proposal, from at most TRIES draws
TRIES = 200
PARENTS = 10
CHILDREN = 5  # per parent
GENERATIONS = 4  # of neighbors of the most promising candidates
FITTED = 5  # times fewer candidates and children where networks are moved to fit, which takes several counts each
KEPT = 300  # of the candidates that were drawn before and not chosen
MAX_LEARNT = 400  # networks the model learns from: its time grows with their cube
MAX_EARLIER = 200  # of these, networks of an earlier run
GROWTH = 1.1  # of the networks learned from, after which the model's settings are chosen again
UNIFORM_EVERY = 6  # proposals one is a uniform draw, which finds what the model is wrong about
RESTS = 20  # uniform draws after a ranking in which nothing was new


class Frontier:
    """The sampler. Raises ExperimentError unless exactly one objective, the first, is measured."""

    def __init__(self, setup: SamplerSetup) -> None:
        first, *costs = setup.objectives
        if measured := [each.name for each in costs if not each.exact]:
            raise ExperimentError(
                f"sampler frontier models one measured objective, {first.name}; for {measured[0]} too, choose tpe"
            )
        self.costs, self.rng, self.setup = tuple(costs), random.Random(setup.seed), setup
        self.share = FITTED if setup.fit else 1
        self.max_learnt = MAX_LEARNT
        self.encoder = Encoder()
        self.known: list[Known] = []
        self.earlier: list[Known] = []  # of earlier runs
        self.points = np.empty((0, len(setup.objectives)))  # objectives of the known
        self.dominated_by = np.empty(0, dtype=np.int64)  # by how many of the known each one is
        self.seen: set[ChoicesKey] = set()  # by choices: proposed, refused or trained
        self.waiting: dict[ChoicesKey, EncodedCandidate] = {}  # proposed and not told
        self.pool: dict[ChoicesKey, EncodedCandidate] = {}  # by choices
        self.ranked: list[EncodedCandidate] = []  # best last; stale once anything is proposed or told
        self.settings: tuple[int, tuple[KernelSetting, ...]] = 0, ()  # of the model, and how many networks they explain
        self.rests = 0
        self.asked = 0

    def ask(self) -> GuidedTrial:
        self.asked += 1
        told = len(self.known) + len(self.earlier)
        if told < min(STARTUP, self.setup.startup) or self.asked % UNIFORM_EVERY == 0:
            return GuidedTrial(self.rng)
        chosen = self._best()
        if chosen is None:
            return GuidedTrial(self.rng)
        name = choices_key(chosen.candidate.choices)
        self.seen.add(name)
        self.waiting[name] = chosen
        return GuidedTrial(self.rng, chosen.candidate.choices)

    def tell(self, trial: SamplerTrial | None, candidate: Candidate | None, values: Vector | None) -> None:
        self._answered(trial)
        if candidate is not None and values is not None:
            self._learn(candidate, values, values[:1])

    def tell_curve(
        self, trial: SamplerTrial | None, candidate: Candidate, values: Vector, curve: tuple[float, ...]
    ) -> None:
        """Learn from the errors of each epoch of a training, which may have been stopped early."""
        self._answered(trial)
        self._learn(candidate, values, curve)

    def _answered(self, trial: SamplerTrial | None) -> None:
        if isinstance(trial, GuidedTrial):
            self.seen.add(choices_key(trial.params))
            self.waiting.pop(choices_key(trial.params), None)

    def tell_earlier(self, candidate: Candidate, values: Vector, source: str) -> None:
        """Learn from a trial of an earlier run: its errors have another scale, and the network may be trained again."""
        self.earlier.append(Known(self._encoded(candidate), values[:1], source))

    def _encoded(self, candidate: Candidate) -> EncodedCandidate:
        return EncodedCandidate(candidate, self.encoder.encode(candidate))

    def _learn(self, candidate: Candidate, values: Vector, curve: Curve) -> None:
        """Record a result, and by how many others each is dominated."""
        self.seen.add(choices_key(candidate.choices))
        self.ranked = []
        mine = np.array([values])
        before = self.points
        self.points = np.concatenate([before, mine])
        beaten = dominates(before, mine).sum()
        self.dominated_by = np.append(self.dominated_by + dominates(mine, before)[0], beaten)
        self.known.append(Known(self._encoded(candidate), curve))

    def _best(self) -> EncodedCandidate | None:
        """Return the candidate of largest gain that is new; None where there is none, or no model."""
        if self.rests:
            self.rests -= 1
            return None
        if self.waiting or not self.ranked:
            self.ranked = self._ranking()
        while self.ranked:
            best = self.ranked.pop()
            self.pool.pop(choices_key(best.candidate.choices), None)
            if self.setup.is_new(best.candidate):
                return best
            self.seen.add(choices_key(best.candidate.choices))
            self.setup.count("candidate, duplicate")
        self.rests = RESTS
        return None

    def _ranking(self) -> list[EncodedCandidate]:
        """Return a new pool by gain; empty, which is counted and logged, where no model can be made."""
        try:
            with threadpool_limits(1, "blas"):  # beside busy workers a team of threads waits for its slowest
                self._gather()
                return self._rank(self._posterior())
        except (np.linalg.LinAlgError, FloatingPointError) as problem:
            self.setup.count("candidate, no model")
            logger.warning("sampler frontier has no model of the error (%s); the next networks are random", problem)
            return []

    def _posterior(self) -> Posterior:
        known = [*self.earlier[-MAX_EARLIER:], *self.learnt_from()]
        told, settings = self.settings
        if len(self.earlier) + len(self.known) >= told * GROWTH:
            settings = ()
        posterior = Posterior(self.costs, self.encoder, known, self.waiting.values(), settings)
        if not settings:
            self.settings = len(self.earlier) + len(self.known), posterior.surrogate.settings
        return posterior

    def _gather(self) -> None:
        """Renew the pool: the most promising of the last, fresh draws, and neighbors of the best networks."""
        left = list(self.pool.items())[-KEPT:]
        self.pool = dict(left)
        for _ in range(TRIES // self.share):
            if len(self.pool) >= len(left) + UNIFORM:
                break
            self._take(GuidedTrial(self.rng))
        best = [self.known[i] for i in self._order()[:PARENTS]]
        best += sorted(self.earlier, key=lambda known: known.error)[: PARENTS - len(best)]
        self._add_neighbors([known.network for known in best])

    def _rank(self, posterior: Posterior) -> list[EncodedCandidate]:
        """Return the pool by gain, after several generations of neighbors of the most promising have joined it."""
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
        """Add neighbors of some networks to the pool."""
        for parent in parents:
            for _ in range(CHILDREN // self.share):
                self._take(neighbor(self.rng, parent.candidate.choices, self.rng.choice((1, 1, 2, 3))))

    def _take(self, trial: GuidedTrial) -> None:
        found = self.setup.peek(trial)
        if found is not None and (name := choices_key(found.choices)) not in self.seen and name not in self.pool:
            self.pool[name] = self._encoded(found)

    def _order(self) -> list[int]:
        """Return positions of the known: least dominated first, and of equals those of lowest error."""
        return [int(i) for i in np.lexsort((self.points[:, 0], self.dominated_by))]

    def learnt_from(self) -> list[Known]:
        """Return what the model learns from: all, or above the limit the latest half and the best of the rest."""
        if len(self.known) <= self.max_learnt:
            return self.known
        latest = len(self.known) - self.max_learnt // 2
        best = [self.known[i] for i in self._order() if i < latest]
        return best[: self.max_learnt // 2] + self.known[latest:]
