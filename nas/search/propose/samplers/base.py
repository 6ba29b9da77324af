"""The interface of all samplers, and what a sampler is made with.

A sampler gives trials for the space to ask and is told the vector of objectives each led to. It counts nothing itself:
the proposer checks budgets, refuses and remembers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from nas.search.objectives import Budget, Network, Objective, Vector
from nas.search.propose.candidate import Candidate, EditedGraph
from nas.search.propose.choices import AskedTrial, GuidedTrial

SamplerTrial = AskedTrial | EditedGraph


class Sampler(Protocol):
    """What the proposer needs of a sampler. After `ask`, others may be asked before the first is told."""

    def ask(self) -> SamplerTrial:
        """Return a trial for the space to ask, or a network made of others."""
        ...

    def tell(self, trial: SamplerTrial | None, candidate: Candidate | None, values: Vector | None) -> None:
        """Take the result of a trial.

        trial: one of `ask`; None for a trial of an earlier run. candidate: the network it led to, which is another than
        it chose where that was scaled to fit; None when there is none, or one that is still in training. values: the
        objectives, in order; None when the network was refused or its training failed.
        """
        ...


@runtime_checkable
class EarlierSampler(Protocol):
    """A sampler that takes trials of earlier runs apart from its own; any other is told them with None as trial."""

    def tell_earlier(self, candidate: Candidate, values: Vector, source: str) -> None:
        """Take a trial of an earlier run, before anything is asked.

        candidate: inside the budget or not; it may be proposed, and trained, again. values: the objectives, in order:
        exact ones as of today's images, measured ones as they were then, perhaps on other data or after another
        recipe. source: the run.
        """
        ...


@runtime_checkable
class CurveSampler(Protocol):
    """A sampler that reads the errors of every epoch; any other is told the last."""

    def tell_curve(
        self, trial: SamplerTrial | None, candidate: Candidate, values: Vector, curve: tuple[float, ...]
    ) -> None:
        """Take the result of a training that may have been stopped early, in place of `tell`.

        trial, candidate: as of `tell`. values: the objectives after the last epoch that was trained. curve: the first
        measured objective after each epoch; of a training that was stopped they are fewer than of others.
        """
        ...


@dataclass(frozen=True)
class SamplerSetup:
    """What a sampler is made with.

    objectives: what is minimized, in order; each says whether it is exact. trials: of the whole search. fit: whether
    networks outside the budget are moved inside. peek: draws and counts a network without proposing it; None where it
    is outside the budget or not a network. is_new: whether no network that computes the same was proposed. count: adds
    one to an outcome of `proposal_counts`.
    """

    objectives: tuple[Objective, ...]
    budget: Budget
    trials: int
    fit: bool
    seed: int
    peek: Callable[[GuidedTrial], Candidate | None]
    is_new: Callable[[Candidate], bool]
    count: Callable[[str], None]

    @property
    def startup(self) -> int:
        """Random trials before a model is asked."""
        return max(5, min(20, self.trials // 4))


def vector(objectives: tuple[Objective, ...], network: Network, measured: tuple[float, ...]) -> Vector:
    """Return the values of all objectives: exact ones read off the network, measured ones given in order."""
    values = iter(measured)
    return tuple([float(each.of(network)) if each.exact else next(values) for each in objectives])
