"""The contract of a sampler: call `check_sampler` in a test with what makes it. Nothing is trained."""

import random
from collections.abc import Callable
from dataclasses import replace

from nas.genome import Graph, Task, Trial
from nas.genome.primitives import Conv, GapHead, Relu, Stem
from nas.search.experiment import Experiment
from nas.search.objectives import Budget, Network, Range
from nas.search.propose.candidate import EditedGraph, make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.propose.earlier import EarlierTrial, tell_earlier_trials
from nas.search.propose.proposer import Proposal, Proposer
from nas.search.propose.samplers.base import Sampler, SamplerSetup
from nas.search.trial import TrialRecord
from nas.testing.trials import untrained_trial

MakeSampler = Callable[[SamplerSetup], Sampler]

TASK = Task("digits", (1, 8, 8), 10)
BUDGET = Budget(params=Range(max=12_000))
"""Excludes a part of the small space."""
OBJECTIVES = ("error", "params", "macs", "depth")
IN_FLIGHT = 4
"""Proposals that are asked for before the first of them is told."""


def check_sampler(make: MakeSampler, trials: int = 12, patience: int = 200) -> None:
    """Check a sampler from the first trial on, then with one to four objectives after trials of an earlier driver, once
    as it starts from another run, whose networks may be proposed again, and once while trainings are stopped early.

    make: the sampler's class, or what a `Plugin` of SAMPLERS loads. trials: proposed in each of the seven searches.
    patience: calls of ask in a row without a new network after which the sampler fails.
    Raises AssertionError that names the broken promise.
    """
    check_proposals(make, OBJECTIVES[:1], (), trials, patience)
    for count in range(1, len(OBJECTIVES) + 1):
        check_proposals(make, OBJECTIVES[:count], earlier_trials(), trials, patience)
    check_proposals(make, OBJECTIVES[:2], (), trials, patience, trials_of_another_run())
    check_proposals(make, OBJECTIVES[:1], (), trials, patience, stopped=True)


def check_proposals(
    make: MakeSampler,
    objectives: tuple[str, ...],
    history: tuple[TrialRecord, ...],
    trials: int,
    patience: int,
    earlier: tuple[EarlierTrial, ...] = (),
    stopped: bool = False,
) -> None:
    """Check one search: proposals are new and inside the budget, with several in flight, of which some fail.

    Duplicates and networks outside the budget are told at once, and the history with None as its trial. earlier: told
    before all of it. stopped: whether two of three trainings are stopped early, and errors come with their curves.
    Raises AssertionError.
    """
    proposer = _proposer(make, objectives, trials, patience)
    tell_earlier_trials(proposer.sampler, earlier, small_space, TASK, proposer.objectives)
    for record in history:
        proposer.learn(record)
    proposals: list[Proposal] = []
    for number in range(trials):
        proposal = proposer.ask()
        assert proposal is not None, f"no new network inside the budget after {proposer.patience} calls of ask"
        _check_trial(proposal)
        proposals.append(proposal)
        if number >= IN_FLIGHT:
            ended = proposals[number - IN_FLIGHT]
            error = None if number % 5 == 0 else made_up_error(ended)
            proposer.tell(ended, error, curve=_curve(error or 0.0, 1 + number % 3) if stopped else ())
    fingerprints = {proposal.fingerprint for proposal in proposals}
    assert len(fingerprints) == trials, "a network was proposed twice"
    assert not fingerprints & {record.fingerprint for record in history}, "a network of an earlier driver was proposed"
    assert all(BUDGET.allows(proposal) for proposal in proposals), "a proposal is outside the budget"


def _curve(error: float, epochs: int) -> tuple[float, ...]:
    """Return the errors after so many epochs, the last of which is given."""
    return tuple([min(1.0, error + 0.1 * left) for left in reversed(range(epochs))])


def _check_trial(proposal: Proposal) -> None:
    trial = proposal.trial
    if trial is not None and not isinstance(trial, EditedGraph):
        assert set(trial.params) == set(proposal.choices), "the trial's params are not the choices that the space made"


def _proposer(make: MakeSampler, objectives: tuple[str, ...], trials: int, patience: int) -> Proposer:
    experiment = Experiment(
        name="contract", space="small_space", data=TASK.name, budget=BUDGET, objectives=objectives, trials=trials
    )
    proposer = Proposer(experiment, small_space, TASK, patience=patience)
    proposer.sampler = make(replace(proposer.sampler_setup(), seed=1))
    return proposer


def small_space(trial: Trial, task: Task) -> Graph:
    """Return one or two convolutions; a choice exists only with the second, and one changes nothing."""
    trial.suggest_categorical("label", ["a", "b"])  # so that a network may be proposed twice
    width = trial.suggest_int("width", 2, 64)
    value = Relu()(Conv(width, trial.suggest_categorical("kernel", [1, 3, 5]))(Stem(4)(task.image())))
    if trial.suggest_categorical("second", [True, False]):
        value = Relu()(Conv(round(width * trial.suggest_float("growth", 0.5, 2.0)), 3)(value))
    return Graph.of(GapHead(task.classes)(value))


def made_up_error(network: Network) -> float:
    """Return an error that is lowest with 5,000 parameters."""
    return min(1.0, abs(network.cost.params - 5_000) / 10_000)


def earlier_trials() -> tuple[TrialRecord, ...]:
    """Return trials of an earlier driver: complete ones, a failed one, and a network without choices."""
    rng = random.Random(7)
    drawn = [make_candidate(small_space, TASK, GuidedTrial(rng)) for _ in range(8)]
    fixed = Graph.of(GapHead(TASK.classes)(Conv(9, 3)(TASK.image())))
    networks = {untrained_trial(0, each, None).fingerprint: each for each in drawn if BUDGET.allows(each)}
    complete = [untrained_trial(number, each, made_up_error(each)) for number, each in enumerate(networks.values())]
    last = make_candidate(small_space, TASK, EditedGraph(fixed, ()))
    failed = untrained_trial(0, drawn[0], None)
    return (failed, *complete[1:], untrained_trial(len(complete), last, made_up_error(last)))


def trials_of_another_run() -> tuple[EarlierTrial, ...]:
    """Return trials of another run, some of them outside the budget."""
    rng = random.Random(8)
    drawn = [make_candidate(small_space, TASK, GuidedTrial(rng)) for _ in range(8)]
    return tuple([EarlierTrial("another run", (made_up_error(each),), each.choices) for each in drawn])
