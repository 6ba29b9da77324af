"""Any sampler of Optuna's, inside a budget: what it draws is drawn again until the network is inside and new."""

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from math import inf
from operator import itemgetter
from pathlib import Path
from threading import Lock
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from nas.errors import BudgetError, ExperimentError, GenomeError
from nas.genome.fingerprint import fingerprint
from nas.optuna.sampled_trial import SampledTrial
from nas.optuna.setting import StudySetting, trials_with_network
from nas.search.distributions import from_optuna, to_optuna
from nas.search.experiment import Experiment
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import ChoicesKey, GuidedTrial, choices_key
from nas.search.propose.fit_budget import BudgetFitter
from nas.search.propose.proposer import PATIENCE

SAMPLER_DRAWS = 20  # of the sampler itself for one trial: a Gaussian process takes 0.1 s for each
REPEATS = 3  # draws of choices that it drew for this trial already, after which it is not asked again
FIXED = (optuna.samplers.GridSampler, optuna.samplers.PartialFixedSampler)  # these cannot be asked again


@dataclass(frozen=True)
class Drawn:
    """The choices of a trial before it makes them, by name, with their distributions in Optuna's form."""

    choices: Mapping[str, Any]
    distributions: dict[str, BaseDistribution]


class Within(BaseSampler):
    """A sampler of a study whose networks are all inside the experiment's budget, and new in the study.

    `optuna.create_study(sampler=Within("quickstart", TPESampler(seed=1)))`. What the sampler draws for a trial is
    drawn again until it is inside and new, at most 20 times, or until it repeats itself; then some choices
    of its last draw are redrawn uniformly. With `fit` in the experiment, a network outside is moved inside. The
    refused draws are no trials, and the sampler does not learn from them. Choices that the space does not ask for are
    the sampler's alone, and what is enqueued is taken as it is.

    After `patience` draws in a row without a new network the space counts as exhausted: the trial is pruned, and the
    study stops. Raises ExperimentError for a grid or a sampler with fixed values, which cannot draw again, and in a
    trial BudgetError where no network inside the budget was found at all.
    """

    def __init__(
        self,
        experiment: Experiment | str | Path,
        sampler: BaseSampler,
        space: Callable[..., Any] | None = None,
        patience: int = PATIENCE,
    ) -> None:
        if isinstance(sampler, FIXED):
            raise ExperimentError(
                f"{type(sampler).__name__} gives a trial one value only and cannot draw again: use it without Within; "
                "nas.optuna.Objective prunes what is outside the budget. To fix a choice, fix it in the space"
            )
        self.sampler, self.setting, self.patience = sampler, StudySetting.of(experiment, space), patience
        asked = self.setting.experiment
        self._rng = random.Random(asked.seed)
        self._fitter = (
            BudgetFitter(self.setting.space, self.setting.task, asked.budget, asked.seed) if asked.fit else None
        )
        self._lock = Lock()
        self._running: dict[int, tuple[str, Drawn]] = {}  # fingerprint and choices by number
        self._rebuilt: dict[int, str] = {}  # fingerprints of trials of other objectives, by number

    def __str__(self) -> str:
        return f"Within({self.sampler})"

    def reseed_rng(self) -> None:
        """Reseed the sampler."""
        self.sampler.reseed_rng()

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Prepare the sampler."""
        self.sampler.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Forget the trial's choices, which the study holds now, and tell the sampler."""
        with self._lock:
            self._running.pop(trial.number, None)
        self.sampler.after_trial(study, trial, state, values)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Draw the trial's network and return the distributions of its choices."""
        with self._lock:  # threads share the sampler, and must not draw one network twice
            name, drawn = self._draw(study, trial)
            self._running[trial.number] = name, drawn
        return drawn.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the choices of the network that was drawn."""
        _, drawn = self._running[trial.number]
        return {name: value for name, value in drawn.choices.items() if name in search_space}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the sampler's value of a choice that is not of the space.

        A choice of the space is asked for here where Optuna finds it beside its step, as with steps of 1e-12.
        """
        _, drawn = self._running.get(trial.number, ("", Drawn({}, {})))
        if from_optuna(param_distribution).allows(drawn.choices.get(param_name)):
            return drawn.choices[param_name]
        return self.sampler.sample_independent(study, trial, param_name, param_distribution)

    def _draw(self, study: Study, trial: FrozenTrial) -> tuple[str, Drawn]:
        """Return the fingerprint and the choices of a new network inside the budget; those of an enqueued one are free.

        Raises TrialPruned when the space is exhausted, and BudgetError when nothing in it is inside.
        """
        fixed = trial.system_attrs.get("fixed_params", {})
        budget, known, nearest = self.setting.experiment.budget, self._known(study, trial), ("", inf)
        joint_space = self.sampler.infer_relative_search_space(study, trial)
        for asked, joint in islice(self._draws(study, trial, joint_space), self.patience):
            candidate = self._candidate(asked, movable=not fixed)
            if isinstance(asked, SampledTrial) and fixed and not asked.asked:
                break
            if candidate is None:
                continue
            nearest = min(nearest, budget.worst(candidate), key=itemgetter(1))
            if budget.allows(candidate) and (name := fingerprint(candidate.graph)) not in known:
                distributions = {name: to_optuna(each) for name, each in candidate.distributions.items()}
                return name, Drawn({**joint, **candidate.choices}, {**joint_space, **distributions})
        if fixed:
            return "", Drawn({}, {})
        raise self._exhausted(study, *nearest)

    def _draws(
        self, study: Study, trial: FrozenTrial, joint_space: dict[str, BaseDistribution]
    ) -> Iterator[tuple[GuidedTrial, dict[str, Any]]]:
        """Yield trials for the space to ask, with the sampler's joint draw: its own, then variations of its last."""
        fixed, tried, repeats = trial.system_attrs.get("fixed_params", {}), set[ChoicesKey](), 0
        for _ in range(SAMPLER_DRAWS):
            joint = self.sampler.sample_relative(study, trial, joint_space)
            drawn = SampledTrial(fixed, joint, self._independent(study, trial))
            yield drawn, joint
            repeats += choices_key(drawn.params) in tried
            tried.add(choices_key(drawn.params))
            if repeats == REPEATS:
                break
        free = {name: value for name, value in drawn.params.items() if name not in fixed}
        while True:
            changed = self._rng.sample(list(free), self._rng.randint(min(1, len(free)), len(free)))
            yield GuidedTrial(self._rng, drawn.params, {name: free[name] for name in changed}), joint

    def _independent(self, study: Study, trial: FrozenTrial) -> Callable[[str, BaseDistribution, SampledTrial], Any]:
        """Return what asks the sampler for one choice of a trial that has made those before."""

        def sample(name: str, distribution: BaseDistribution, asked: SampledTrial) -> Any:
            now = copy.copy(trial)
            now.params = dict(asked.params)
            now.distributions = {name: to_optuna(each) for name, each in asked.distributions.items()}
            return self.sampler.sample_independent(study, now, name, distribution)

        return sample

    def _candidate(self, asked: GuidedTrial, movable: bool) -> Candidate | None:
        """Return a trial's network, moved inside the budget if the experiment says so; None where it makes none."""
        try:
            drawn = make_candidate(self.setting.space, self.setting.task, asked)
        except GenomeError:
            return None
        return (self._fitter and movable and self._fitter.fit(drawn)) or drawn

    def _known(self, study: Study, trial: FrozenTrial) -> set[str]:
        """Return the fingerprints of the other networks of the study."""
        whole = getattr(study, "_study", study)  # Hyperband shows a sampler one bracket only
        others = trials_with_network(whole.get_trials(deepcopy=False), but=trial.number)
        return {name for name, _ in self._running.values()} | set(map(self._fingerprint, others))

    def _fingerprint(self, trial: FrozenTrial) -> str:
        """Return a trial's fingerprint, made from its choices where another objective trained it; "" where unknown."""
        if "fingerprint" in trial.user_attrs:
            return str(trial.user_attrs["fingerprint"])
        if trial.number in self._rebuilt:
            return self._rebuilt[trial.number]
        candidate = self._candidate(GuidedTrial(random.Random(0), trial.params), movable=False)
        whole = candidate is not None and candidate.choices.items() <= trial.params.items()
        name = fingerprint(candidate.graph) if candidate and whole else ""
        if trial.state.is_finished():
            self._rebuilt[trial.number] = name
        return name

    def _exhausted(self, study: Study, limit: str, excess: float) -> Exception:
        """Stop a study whose space has no other network, and return what ends the trial."""
        if excess > 0:
            which = f"; the nearest is outside {limit} by {excess:.1%}" if limit else "; none of the choices makes one"
            return BudgetError(f"no network inside the budget was found in {self.patience} draws{which}")
        with suppress(RuntimeError):  # outside of study.optimize, there is no loop to stop
            study.stop()
        return optuna.TrialPruned("no other network inside the budget was found: the space is exhausted, or nearly so")
