"""What to train next: what a driver that is gone left behind, a new proposal, or a known network."""

from typing import Any

from nas.genome.cost import cost
from nas.genome.fingerprint import fingerprint
from nas.search.propose.baselines import fit_baseline
from nas.search.propose.proposer import Proposal, Proposer
from nas.search.space import load_space
from nas.search.store.study import Study, search_trials
from nas.search.trial import TrialRecord, from_optuna, to_attributes
from nas.training.data import task


class TrialQueue:
    """Proposes from all that the study knows, also of what other drivers do meanwhile."""

    def __init__(self, study: Study, trials: list[Any], records: tuple[TrialRecord, ...]) -> None:
        experiment = study.experiment
        self.study, self.experiment, self.exhausted = study, experiment, False
        self.task = task(experiment.source)
        self._counted = study.ledger(trials)
        self._proposer = Proposer(
            experiment, load_space(experiment.space), self.task, trials, records, self._counted.copy()
        )
        self._over = {trial.number: trial.state.is_finished() for trial in trials}  # of those the proposer knows
        self._proposals: dict[int, Proposal] = {}
        self._mine: set[int] = set()
        self._again: list[TrialRecord] = []

    def next(self) -> TrialRecord | None:
        """The next to train, recorded as running; None when nothing is left.

        Trials that were left running come first, under their own numbers: nothing is lost, and nothing but what was
        in flight is trained twice.
        """
        with self.study.exclusive():
            trials = self.study.everything()
            found = self._again.pop() if self._again else self.study.claim(trials, self._mine)
            found = found or self._propose(search_trials(trials)) or self._baseline(trials)
        if found:
            self._mine.add(found.number)
        return found

    def again(self, record: TrialRecord) -> None:
        """A trial's machine is gone: it is as if it had not begun."""
        self._again.append(record)

    def tell(self, record: TrialRecord) -> None:
        """How a trial ended."""
        self._mine.discard(record.number)
        if proposal := self._proposals.pop(record.number, None):
            self._over[record.number] = True
            self._proposer.tell(proposal, record.known_error)

    def _propose(self, trials: list[Any]) -> TrialRecord | None:
        self._listen(trials)
        if len(trials) >= self.experiment.trials or self.exhausted:
            return None
        proposal = self._proposer.ask()
        if proposal is None:
            self.exhausted = True
            return None
        seed = self.experiment.trial_seed(len(trials))
        own = self._proposer.ledger - self._counted  # beside what other drivers counted since
        self._counted = self._proposer.ledger.copy()
        ledger = self.study.ledger(trials) + own
        numbers = {trial.user_attrs["fingerprint"]: trial.number for trial in trials}
        parents = tuple(numbers[parent] for parent in proposal.draft.parents)
        facts = to_attributes(proposal.graph, proposal.fingerprint, seed, ledger) | {"parents": parents}
        number = self.study.begin(proposal.choices, proposal.distributions, facts)
        self._proposals[number], self._over[number] = proposal, False
        return TrialRecord(number, proposal.choices, proposal.graph, proposal.fingerprint, proposal.cost, seed,
                      parents=parents)  # fmt: skip

    def _listen(self, trials: list[Any]) -> None:
        """Tell the proposer of others' trials: once when they run, once when they are over."""
        for trial in trials:
            if trial.number in self._proposals or self._over.get(trial.number) is (over := trial.state.is_finished()):
                continue
            self._over[trial.number] = over
            self._proposer.learn(trial, from_optuna(trial))

    def _baseline(self, trials: list[Any]) -> TrialRecord | None:
        """A known network, recorded beside the search's trials: same recipe, and the seed of a trial of the search."""
        begun = {str(trial.user_attrs.get("baseline", "")).split(",")[0] for trial in trials}
        name = next((name for name in self.experiment.baselines if name not in begun), None)
        if name is None:
            return None
        fitted = fit_baseline(name, self.task, self.experiment.budget)
        seed = self.experiment.trial_seed(self.experiment.baselines.index(name))
        code = fingerprint(fitted.graph)
        facts = to_attributes(fitted.graph, code, seed, self.study.ledger(search_trials(trials))) | {
            "baseline": fitted.label
        }
        number = self.study.begin({}, {}, facts)
        return TrialRecord(number, {}, fitted.graph, code, cost(fitted.graph), seed, baseline=fitted.label)
