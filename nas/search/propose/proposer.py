"""From a sampler's choices to networks worth training: inside the budget, and new."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from nas.errors import BudgetError, GenomeError
from nas.genome.cost import Cost, cost
from nas.genome.fingerprint import fingerprint
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.experiment import Experiment
from nas.search.propose.choices import Candidate, GuidedTrial, make_candidate
from nas.search.propose.fit_budget import BudgetFitter
from nas.search.propose.samplers import base as samplers
from nas.search.propose.samplers import evolution
from nas.search.propose.samplers.base import Sampler
from nas.search.propose.scale_widths import scale_widths
from nas.search.trial import TrialRecord

PATIENCE = 3_000  # proposals in a row without a new network inside the budget: the space is exhausted


@dataclass(frozen=True)
class Proposal:
    """A network to train and the choices that made it."""

    trial: Any  # the sampler's own
    draft: Candidate
    fingerprint: str

    @property
    def choices(self) -> dict[str, Any]:
        return self.draft.choices

    @property
    def distributions(self) -> dict[str, Any]:
        return self.draft.distributions

    @property
    def graph(self) -> Graph:
        return self.draft.graph

    @property
    def cost(self) -> Cost:
        return self.draft.cost


def frontier(experiment: Experiment, seed: int, peek: Callable[[GuidedTrial], Candidate | None]) -> Sampler:
    """The sampler of that name, imported late: scikit-learn takes half a second."""
    from nas.search.propose.samplers.frontier import Frontier

    return Frontier(experiment, seed, peek)


SAMPLERS: dict[str, Callable[[Experiment, int], Sampler]] = {
    "random": samplers.Random, "tpe": samplers.tpe, "nsga2": samplers.nsga2, "gp": samplers.gp,
    "evolution": evolution.over_choices, "evolution-graphs": evolution.over_graphs, "local": samplers.LocalSearch,
}  # fmt: skip


class Proposer:
    """Asks the sampler until it names a network inside the budget that was not seen before."""

    def __init__(
        self, experiment: Experiment, space: Space, task: Task, trials: list[Any], records: tuple[TrialRecord, ...],
        ledger: Counter[str],
    ) -> None:  # fmt: skip
        self.experiment, self.space, self.task, self.ledger = experiment, space, task, ledger
        self.errors: dict[str, float | None] = {}  # by fingerprint; None while in training, or failed
        self.fitter = BudgetFitter(space, task, experiment.budget, experiment.seed) if experiment.fit else None
        self.sampler = self._sampler(len(records))
        for trial, record in zip(trials, records, strict=True):
            self.learn(trial, record)

    def learn(self, trial: Any, record: TrialRecord) -> None:
        """What an earlier driver did, or does beside this one."""
        self.errors[record.fingerprint] = record.known_error
        past = Candidate(dict(trial.params), dict(trial.distributions), record.graph, record.cost)
        self.sampler.tell(None, past, record.known_error)

    def _sampler(self, told: int) -> Sampler:
        """Seeded by the experiment and by how much is told already: a resumed run must not repeat."""
        seed = self.experiment.trial_seed(told) % 2**32
        if self.experiment.sampler == "frontier":
            return frontier(self.experiment, seed, self.peek)
        return SAMPLERS[self.experiment.sampler](self.experiment, seed)

    def peek(self, trial: GuidedTrial) -> Candidate | None:
        """The network a trial leads to, without proposing it; None when it is none or outside the budget."""
        self.ledger["candidates"] += 1
        try:
            drawn = make_candidate(self.space, self.task, trial)
        except GenomeError:
            self.ledger["candidate, no network"] += 1
            return None
        inside = self._inside(drawn)
        if inside is None:
            self.ledger[f"candidate, outside budget: {self._worst(drawn.cost)}"] += 1
        return inside

    def _inside(self, drawn: Candidate) -> Candidate | None:
        if self.experiment.budget.allows(drawn.cost):
            return drawn
        if self.fitter is None:
            return None
        return self._narrowed(drawn) if drawn.parents else self.fitter.fit(drawn)

    def _narrowed(self, drawn: Candidate) -> Candidate | None:
        """A network that has no choices to move along."""
        found = scale_widths(drawn.graph, self.experiment.budget)
        fitted = found and replace(drawn, graph=found[1], cost=cost(found[1]))
        return fitted if fitted and self.experiment.budget.allows(fitted.cost) else None

    def ask(self) -> Proposal | None:
        """The next network to train, or None when the space seems to hold no other inside the budget."""
        for _ in range(PATIENCE):
            trial = self.sampler.ask()
            self.ledger["proposed"] += 1
            try:
                drawn = make_candidate(self.space, self.task, trial)
            except GenomeError:
                self.ledger["no network"] += 1
                self.sampler.tell(trial, None, None)
                continue
            if proposal := self._judge(trial, drawn):
                return proposal
        return None

    def _judge(self, trial: Any, drawn: Candidate) -> Proposal | None:
        """The proposal to train; or the reason in the ledger, and what is known told to the sampler."""
        inside = self._inside(drawn)
        if inside is None:
            self.ledger[f"outside budget: {self._worst(drawn.cost)}"] += 1
            self.sampler.tell(trial, drawn, None)
            return None
        name = fingerprint(inside.graph)
        if name in self.errors:
            self.ledger["duplicate"] += 1
            known = self.errors[name]  # a network seen before is answered from the study
            self.sampler.tell(trial, None if known is None else inside, known)
            return None
        self.ledger["trained, scaled to fit" if inside is not drawn else "trained"] += 1
        self.errors[name] = None
        return Proposal(trial, inside, name)

    def tell(self, proposal: Proposal, error: float | None) -> None:
        """How a proposal did; None when it failed."""
        self.errors[proposal.fingerprint] = error
        self.sampler.tell(proposal.trial, proposal.draft, error)

    def _worst(self, counts: Cost) -> str:
        """The limit that is broken most."""
        excess = self.experiment.budget.excess(counts)
        return max(excess, key=lambda name: excess[name])


@dataclass(frozen=True)
class Preflight:
    """What a sample of the space says before anything is trained."""

    drawn: int
    inside: int
    costs: tuple[Cost, ...]
    nearest: Cost
    binding: str  # the limit the nearest network still breaks, or comes closest to
    refused: Counter[str]  # networks outside, by the limit they break most


def preflight(experiment: Experiment, space: Space, task: Task, draws: int = 400) -> Preflight:
    """Count a sample of the space: uniform draws and the low corner.

    Raises BudgetError when no network drawn is inside the budget, with the nearest and what binds, and GenomeError
    when the space cannot make a network for this task.
    """
    from nas.search.space import sample_network

    budget, problem = experiment.budget, None
    drawn, lowest = list[Cost](), list[Cost]()
    for draw in range(draws + draws // 10):
        low = draw >= draws
        try:
            counts = cost(sample_network(space, task, experiment.seed * 7919 + draw, lowest=low))
            (lowest if low else drawn).append(counts)
        except GenomeError as caught:
            problem = caught
    if not drawn:
        raise GenomeError(f"space {experiment.space} makes no network for task {task.name}: {problem}")
    known = drawn + lowest
    if experiment.fit and not any(map(budget.allows, known)):
        known += _moved_inside(experiment, space, task)
    nearest = min(known, key=lambda counts: max(budget.excess(counts).values(), default=-1.0))
    excess = budget.excess(nearest)
    binding = max(excess, key=lambda name: excess[name], default="")
    inside = sum(map(budget.allows, drawn))
    if any(over > 0 for over in excess.values()):
        limit, found = budget.limits()[binding], getattr(nearest, binding)
        few = limit.min is not None and found < limit.min
        side, end = ("at least", limit.min) if few else ("at most", limit.max)
        raise BudgetError(
            f"no network of space {experiment.space} was found inside the budget: of {len(known)} drawn, the nearest "
            f"has {nearest.params:,} params and {nearest.macs:,} MACs. What binds is {binding}: {side} {end:,} asked, "
            f"{found:,} found. Loosen budget.{binding} or choose another space"
        )
    outside = (budget.excess(counts) for counts in drawn if not budget.allows(counts))
    refused = Counter(max(over, key=lambda name: over[name]) for over in outside)
    return Preflight(len(drawn), inside, tuple(drawn), nearest, binding, refused)


def _moved_inside(experiment: Experiment, space: Space, task: Task, draws: int = 40) -> list[Cost]:
    """What networks that all lie outside cost once they are moved inside; nothing where none can be."""
    fitter, rng = BudgetFitter(space, task, experiment.budget, experiment.seed), random.Random(experiment.seed)
    found: list[Cost] = []
    for _ in range(draws):
        try:
            fitted = fitter.fit(make_candidate(space, task, GuidedTrial(rng)))
        except GenomeError:
            continue
        found += [fitted.cost] if fitted else []
    return found
