"""From a sampler's choices to networks worth training: inside the budget, and new."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nas.errors import BudgetError, ExperimentError, GenomeError, NasError
from nas.genome.cost import Cost, cost
from nas.genome.fingerprint import fingerprint
from nas.genome.graph import Graph
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.distributions import Distributions
from nas.search.experiment import Experiment
from nas.search.objectives import Network, Vector
from nas.search.propose.asked import make_asked
from nas.search.propose.candidate import Candidate, EditedGraph, make_candidate
from nas.search.propose.choices import AskedTrial, Choices, GuidedTrial
from nas.search.propose.earlier import EarlierTrial, tell_earlier_trials
from nas.search.propose.fit_budget import BudgetFitter
from nas.search.propose.samplers.base import CurveSampler, SamplerSetup, SamplerTrial, vector
from nas.search.propose.samplers.factory import make_sampler
from nas.search.propose.scale_widths import scale_widths
from nas.search.registries import SAMPLERS
from nas.search.trial import TrialRecord

PATIENCE = 3_000  # proposals in a row without a new network inside the budget: the space is exhausted


@dataclass(frozen=True)
class Proposal:
    """A network to train and the trial of the sampler that led to it, None for one that the user asked for."""

    trial: AskedTrial | EditedGraph | None
    candidate: Candidate
    fingerprint: str

    @property
    def choices(self) -> Choices:
        return self.candidate.choices

    @property
    def distributions(self) -> Distributions:
        return self.candidate.distributions

    @property
    def graph(self) -> Graph:
        return self.candidate.graph

    @property
    def cost(self) -> Cost:
        return self.candidate.cost


class Proposer:
    """Asks the sampler until it proposes a network inside the budget that was not seen before.

    The configurations of the experiment's `start` come first. history: the trials so far, in order. patience:
    proposals in a row after which the space counts as exhausted. earlier: trials of other runs, which the sampler is
    told before the history; their networks count as new. proposal_counts: proposals by outcome, continued from the
    history. Raises ExperimentError for a sampler that cannot be made, or not for these objectives, and for a
    configuration of `start` that cannot be trained; RunError for an earlier trial that the space does not make.
    """

    def __init__(
        self,
        experiment: Experiment,
        space: Space,
        task: Task,
        history: Iterable[TrialRecord] = (),
        patience: int = PATIENCE,
        earlier: Iterable[EarlierTrial] = (),
    ) -> None:
        history = tuple(history)
        self.experiment, self.space, self.task, self.patience = experiment, space, task, patience
        self.objectives = experiment.objective_entries
        self.proposal_counts = Counter(history[-1].proposal_counts) if history else Counter[str]()
        self.measured: dict[str, tuple[float, ...] | None] = {}  # by fingerprint; None while in training, or failed
        self.fitter = BudgetFitter(space, task, experiment.budget, experiment.seed) if experiment.fit else None
        self.sampler = make_sampler(SAMPLERS.find(experiment.sampler), self.sampler_setup(len(history)))
        self._start = [self._started(place, choices) for place, choices in enumerate(experiment.start_choices)]
        tell_earlier_trials(self.sampler, earlier, space, task, self.objectives)
        for record in history:
            self.learn(record)

    def sampler_setup(self, told: int = 0) -> SamplerSetup:
        """Return what the sampler is made with, after so many trials.

        Its seed depends on the trials so far: a resumed run must not repeat itself.
        """
        asked = self.experiment
        return SamplerSetup(
            self.objectives,
            asked.budget,
            asked.trials,
            asked.fit,
            seed=asked.trial_seed(told) % 2**32,
            peek=self.peek,
            is_new=lambda candidate: fingerprint(candidate.graph) not in self.measured,
            count=lambda outcome: self.proposal_counts.update((outcome,)),
        )

    def learn(self, record: TrialRecord) -> None:
        """Record a trial that was not proposed here: of an earlier driver, or of another one on the same study."""
        past = Candidate(record.choices, record.distributions, record.graph, record.cost)
        known = record.measured(self.experiment.objectives)
        self.measured[record.fingerprint] = known
        self._tell(None, past, known, self._curve(record))

    def peek(self, trial: GuidedTrial) -> Candidate | None:
        """Return the network a trial leads to, without proposing it; None when it is none or outside the budget."""
        self.proposal_counts["candidates"] += 1
        try:
            drawn = make_candidate(self.space, self.task, trial)
        except GenomeError:
            self.proposal_counts["candidate, no network"] += 1
            return None
        inside = self._inside(drawn)
        if inside is None:
            self.proposal_counts[f"candidate, outside budget: {self._worst(drawn)}"] += 1
        return inside

    def _inside(self, drawn: Candidate) -> Candidate | None:
        if self.experiment.budget.allows(drawn):
            return drawn
        if self.fitter is None:
            return None
        return self._scaled(drawn) if drawn.parents else self.fitter.fit(drawn)

    def _scaled(self, drawn: Candidate) -> Candidate | None:
        """Return the proposal of a network that was edited and so has no choices to change."""
        found = scale_widths(drawn.graph, self.experiment.budget)
        fitted = found and replace(drawn, graph=found[1], cost=cost(found[1]))
        return fitted if fitted and self.experiment.budget.allows(fitted) else None

    def ask(self) -> Proposal | None:
        """Return the next network to train, or None when the space seems to hold no other inside the budget."""
        while self._start:
            candidate = self._start.pop(0)
            if (name := fingerprint(candidate.graph)) not in self.measured:
                return self._asked_for(candidate, name)
        for _ in range(self.patience):
            trial = self.sampler.ask()
            self.proposal_counts["proposed"] += 1
            try:
                drawn = make_candidate(self.space, self.task, trial)
            except GenomeError:
                self.proposal_counts["no network"] += 1
                self.sampler.tell(trial, None, None)
                continue
            if proposal := self._accept(trial, drawn):
                return proposal
        return None

    def _started(self, place: int, choices: Mapping[str, object]) -> Candidate:
        try:
            return make_asked(self.space, self.task, self.experiment.budget, choices, self.experiment.seed + place)
        except NasError as problem:
            raise ExperimentError(f"start, configuration {place + 1}: {problem}") from None

    def propose(self, choices: Mapping[str, object]) -> Proposal:
        """Return the network of choices that another program asked for; names that are missing are drawn.

        Raises NasError where it makes no network, is outside the budget, or was seen before.
        """
        seed = self.experiment.seed + len(self.measured)
        candidate = make_asked(self.space, self.task, self.experiment.budget, choices, seed)
        if (name := fingerprint(candidate.graph)) in self.measured:
            raise BudgetError("a network that was proposed before")
        return self._asked_for(candidate, name)

    def _asked_for(self, candidate: Candidate, name: str) -> Proposal:
        self.proposal_counts += Counter(("proposed", "trained"))
        self.measured[name] = None
        return Proposal(None, candidate, name)

    def _accept(self, trial: AskedTrial | EditedGraph, drawn: Candidate) -> Proposal | None:
        """Return the proposal to train; else count its outcome and tell the sampler what is known."""
        inside = self._inside(drawn)
        if inside is None:
            self.proposal_counts[f"outside budget: {self._worst(drawn)}"] += 1
            self.sampler.tell(trial, drawn, None)
            return None
        name = fingerprint(inside.graph)
        if name in self.measured:
            self.proposal_counts["duplicate"] += 1
            known = self.measured[name]  # a network seen before is answered from the study
            self.sampler.tell(trial, None if known is None else inside, self._vector(inside, known))
            return None
        self.proposal_counts["trained, scaled to fit" if inside is not drawn else "trained"] += 1
        self.measured[name] = None
        return Proposal(trial, inside, name)

    def tell(self, proposal: Proposal, *measured: float | None, curve: tuple[float, ...] = ()) -> None:
        """Take the result of a proposal: its measured objectives, in order; None, or nothing, when it failed.

        curve: the first of them after each epoch, where trainings may be stopped early.
        """
        known = tuple([value for value in measured if value is not None]) or None
        self.measured[proposal.fingerprint] = known
        self._tell(proposal.trial, proposal.candidate, known, curve)

    def tell_record(self, proposal: Proposal, record: TrialRecord) -> None:
        """Take the result of a proposal as recorded."""
        self.tell(proposal, *(record.measured(self.experiment.objectives) or ()), curve=self._curve(record))

    def _tell(
        self, trial: SamplerTrial | None, candidate: Candidate, known: Vector | None, curve: tuple[float, ...]
    ) -> None:
        values = self._vector(candidate, known)
        if curve and values is not None and isinstance(self.sampler, CurveSampler):
            self.sampler.tell_curve(trial, candidate, values, curve)
        else:
            self.sampler.tell(trial, candidate, values)

    def _curve(self, record: TrialRecord) -> tuple[float, ...]:
        """Return the first measured objective after each epoch; () where nothing is stopped early or reads it."""
        if not (self.experiment.halving and isinstance(self.sampler, CurveSampler)) or record.known_error is None:
            return ()
        return record.curve(next(each.name for each in self.objectives if not each.exact))

    def _vector(self, network: Network, measured: tuple[float, ...] | None) -> Vector | None:
        return None if measured is None else vector(self.objectives, network, measured)

    def _worst(self, network: Network) -> str:
        """Return the limit that is exceeded most."""
        return self.experiment.budget.worst(network)[0]
