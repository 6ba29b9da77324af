"""What the model expects of a candidate: the hypervolume that it would add."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nas.search.objectives import Objective
from nas.search.pareto import dominates
from nas.search.propose.candidate import Candidate
from nas.search.propose.samplers.acquisition import expected_hypervolume_improvement
from nas.search.propose.samplers.curves import Curve, expected_ends
from nas.search.propose.samplers.encoding import Array, Code, Encoder, Rows
from nas.search.propose.samplers.surrogate import KernelSetting, Surrogate, targets

DOUBT = 4.0  # of an error of an earlier run: by what its noise is multiplied


@dataclass(frozen=True)
class EncodedCandidate:
    """A network, and its encoding for the model."""

    candidate: Candidate
    code: Code


@dataclass(frozen=True)
class Known:
    """A trained network and its errors, after each epoch or the last one alone.

    source: the earlier run in which it was trained; empty for this one.
    """

    network: EncodedCandidate
    curve: Curve
    source: str = ""

    @property
    def error(self) -> float:
        """Return the error after the last epoch that was trained."""
        return self.curve[-1]


class Posterior:
    """The surrogate's posterior, given finished networks and those in training.

    known: those of earlier runs first. settings: of the surrogate, chosen anew where there are none. The front is made
    of this run's networks only.
    """

    def __init__(
        self,
        costs: Sequence[Objective],
        encoder: Encoder,
        known: Sequence[Known],
        waiting: Iterable[EncodedCandidate],
        settings: Sequence[KernelSetting] = (),
    ) -> None:
        self.costs, self.encoder = costs, encoder
        done, running = [each.network for each in known], list(waiting)
        self.rows = encoder.rows([candidate.code for candidate in done])
        values, doubt = _values(known)
        self.surrogate = Surrogate(self.rows, values, doubt, settings)
        if running:
            self.surrogate.add_fantasies(self._encoded(running))
        points = np.concatenate([self.surrogate.training_mean()[:, None], self._costs(done + running)], axis=1)
        self.reference = np.concatenate([[points[:, 0].max()], points[:, 1:].max(axis=0) * 1.1])
        mine = points[sum(bool(each.source) for each in known) :]
        self.front = mine[~dominates(mine, mine).any(axis=0)]

    def gains(self, candidates: list[EncodedCandidate]) -> Array:
        """Return the hypervolume that each network is expected to add."""
        if not candidates:
            return np.empty(0)
        mean, spread = self.surrogate.predict(self._encoded(candidates))
        gains = expected_hypervolume_improvement(mean, spread, self._costs(candidates), self.front, self.reference)
        if not np.isfinite(gains).all():
            raise FloatingPointError("a gain is not finite")
        return gains

    def _encoded(self, candidates: list[EncodedCandidate]) -> Rows:
        return self.encoder.rows([candidate.code for candidate in candidates], self.rows)

    def _costs(self, candidates: list[EncodedCandidate]) -> Array:
        rows = [[float(each.of(one.candidate)) for each in self.costs] for one in candidates]
        return np.array(rows).reshape(len(candidates), len(self.costs))


def _values(known: Sequence[Known]) -> tuple[Array, Array]:
    """Return the modelled values, each source's on a scale of its own, and by what their noise is multiplied."""
    sources = [each.source for each in known]
    values, doubt = np.empty(len(known)), np.empty(len(known))
    for source in dict.fromkeys(sources):
        mask = np.array([each == source for each in sources])
        ends, doubt[mask] = expected_ends([each.curve for each in known if each.source == source])
        values[mask] = targets(ends)
        doubt[mask] *= DOUBT if source else 1.0
    return values, doubt
