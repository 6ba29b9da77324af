"""The next trial to train: one that a dead driver left running, a new proposal, or a baseline."""

from dataclasses import replace

from nas.errors import NasError
from nas.search.propose.baselines import fit_baseline
from nas.search.propose.proposer import Proposal, Proposer
from nas.search.space import consistent, load_space
from nas.search.store.stored_trial import StoredTrial
from nas.search.store.study import Study
from nas.search.store.study_view import own_trials, proposal_counts, search_trials
from nas.search.trial import TrialRecord
from nas.training.data import task


class TrialQueue:
    """Proposes from all that the study holds, including what other drivers add meanwhile.

    trials: those of the search so far. exhausted: whether the proposer found no other network.
    """

    def __init__(self, study: Study, trials: list[StoredTrial]) -> None:
        experiment = study.experiment
        self.study, self.experiment, self.exhausted = study, experiment, False
        self.task = task(experiment.source)
        history = [trial.record for trial in trials]
        recorded = {name: each for record in history for name, each in record.distributions.items()}
        space = consistent(load_space(experiment.space), recorded)
        self._proposer = Proposer(experiment, space, self.task, history, earlier=study.earlier())
        self._counted = self._proposer.proposal_counts.copy()
        self._finished = {trial.number: trial.is_finished for trial in trials}  # of those the proposer was told
        self._proposals: dict[int, Proposal] = {}
        self._mine: set[int] = set()
        self._again: list[TrialRecord] = []

    def next(self) -> TrialRecord | None:
        """Return the next trial to train, recorded as running; None when nothing is left.

        Trials that were left running come first, under their own numbers: nothing is lost, and only what was in
        flight is trained twice.
        """
        with self.study.exclusive():
            known = self.study.all_trials()
            trials = own_trials(known)
            found = self._again.pop() if self._again else self.study.claim(trials, self._mine)
            found = found or self._new(search_trials(trials), known) or self._baseline(trials)
        if found:
            self._mine.add(found.number)
        return found

    def again(self, record: TrialRecord) -> None:
        """Queue a trial again whose machine was lost."""
        self._again.append(record)

    def tell(self, record: TrialRecord) -> None:
        """Record the end of a trial."""
        self._mine.discard(record.number)
        if proposal := self._proposals.pop(record.number, None):
            self._finished[record.number] = True
            self._proposer.tell_record(proposal, record)

    def is_complete(self) -> bool:
        """Return whether every trial and baseline has ended, so that more time would train nothing."""
        trials = self.study.stored()
        enough = len(search_trials(trials)) >= self.experiment.trials and not self._next_baseline(trials)
        return enough and all(trial.is_finished for trial in trials)

    def _new(self, trials: list[StoredTrial], known: list[StoredTrial]) -> TrialRecord | None:
        self._learn_others(trials)
        if len(trials) >= self.experiment.trials:
            return None
        asked = self._asked_for(trials) if any(trial.is_waiting for trial in known) else None
        return asked or self._propose(trials)

    def _asked_for(self, trials: list[StoredTrial]) -> TrialRecord | None:
        """Return the next trial that another program asks for through Optuna; refuse those that cannot be trained."""
        for number, choices in sorted(self.study.waiting().items()):
            try:
                proposal = self._proposer.propose(choices)
            except NasError as problem:
                self.study.refuse(number, str(problem))
                continue
            record = replace(self._record(proposal, trials), number=number, proposal_counts=proposal_counts(trials))
            self.study.begin_waiting(record)
            self._proposals[number], self._finished[number] = proposal, False
            return record
        return None

    def _propose(self, trials: list[StoredTrial]) -> TrialRecord | None:
        if self.exhausted:
            return None
        proposal = self._proposer.ask()
        if proposal is None:
            self.exhausted = True
            return None
        record = replace(self._record(proposal, trials), proposal_counts=self._count(trials))
        record = replace(record, number=self.study.begin(record))
        self._proposals[record.number], self._finished[record.number] = proposal, False
        return record

    def _record(self, proposal: Proposal, trials: list[StoredTrial]) -> TrialRecord:
        numbers = {trial.fingerprint: trial.number for trial in trials}
        return TrialRecord.of(
            proposal.graph,
            self.experiment.trial_seed(len(trials)),
            choices=proposal.choices,
            fingerprint=proposal.fingerprint,
            cost=proposal.cost,
            parents=tuple([numbers[name] for name in proposal.candidate.parents if name in numbers]),
            distributions=proposal.distributions,
            predicted=self.experiment.predictions(proposal.graph),
        )

    def _count(self, trials: list[StoredTrial]) -> dict[str, int]:
        """Return proposals by outcome: those of the study, and those counted here since our last trial."""
        own = self._proposer.proposal_counts - self._counted
        self._counted = self._proposer.proposal_counts.copy()
        return dict(proposal_counts(trials) + own)

    def _learn_others(self, trials: list[StoredTrial]) -> None:
        """Tell the proposer of others' trials: once when they run, once when they are finished."""
        for trial in trials:
            if trial.number in self._proposals or self._finished.get(trial.number) is trial.is_finished:
                continue
            self._finished[trial.number] = trial.is_finished
            self._proposer.learn(trial.record)

    def _next_baseline(self, trials: list[StoredTrial]) -> str | None:
        begun = {trial.baseline.split(",")[0] for trial in trials}
        return next((name for name in self.experiment.baselines if name not in begun), None)

    def _baseline(self, trials: list[StoredTrial]) -> TrialRecord | None:
        """Return the next baseline, with the recipe of the search and the seed of one of its trials."""
        name = self._next_baseline(trials)
        if name is None:
            return None
        fitted = fit_baseline(name, self.task, self.experiment.budget)
        seed = self.experiment.trial_seed(self.experiment.baselines.index(name))
        counts = proposal_counts(search_trials(trials))
        predicted = self.experiment.predictions(fitted.graph)
        record = TrialRecord.of(
            fitted.graph, seed, baseline=fitted.label, proposal_counts=counts, predicted=predicted
        )  # fmt: skip
        return replace(record, number=self.study.begin(record))
