"""Our samplers as a search algorithm of Ray Tune: every network is inside the budget, and new."""

import json
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.search import Searcher as TuneSearcher
from ray.tune.search.sample import Domain

from nas.api import as_experiment
from nas.errors import ExperimentError, RunError
from nas.files import atomic_write
from nas.search.experiment import Experiment
from nas.search.propose.proposer import Proposal, Proposer
from nas.search.space import load_space
from nas.search.store.earlier_facts import EarlierTrials, earlier_of, to_earlier_facts
from nas.search.store.earlier_runs import read_earlier_runs
from nas.search.trial import TrialRecord
from nas.training.data import task
from nas.training.score import Score
from nas.tune.codec import from_plain, to_plain
from nas.tune.config import NETWORK, Config, to_config

VERSION = "nas-searcher/1"


class Searcher(TuneSearcher):
    """A search algorithm that proposes the networks of an experiment, for `tune.TuneConfig(search_alg=...)`.

    A config has the network under "network": its genome, choices and seed; the constant values of `param_space` are
    laid beside it. experiment: one of ours, its file or its name. space, sampler: also a function or an object of your
    own, in place of the experiment's. metric: of the results, a share of images; mode: "min", or "max" for an accuracy.
    earlier: the trials that it is started from, by default those of the experiment's `start`, read as the first network
    is proposed.

    It trains nothing and holds no connection, so it may be pickled, saved and restored at any time. Raises
    ExperimentError and DataError as the first network is proposed.
    """

    CKPT_FILE_TMPL = "nas-searcher-{}.json"

    def __init__(
        self,
        experiment: Experiment | str | Path,
        space: Any = None,
        sampler: Any = None,
        metric: str = "error",
        mode: str = "min",
        earlier: EarlierTrials | None = None,
    ) -> None:
        super().__init__(metric=metric, mode=mode)
        self.experiment = as_experiment(experiment, space=space, sampler=sampler)
        self.earlier = earlier
        self.records: dict[str, TrialRecord] = {}  # by Tune's name of the trial, in order
        self._proposer: Proposer | None = None
        self._proposals: dict[str, Proposal] = {}

    def set_search_properties(self, metric: str | None, mode: str | None, config: Config, **spec: Any) -> bool:
        """Take over the metric of a TuneConfig, and check its param_space.

        Raises ExperimentError for a param_space that samples: networks come from the space.
        """
        sampled = [str(name) for name, value in tune.utils.flatten_dict(config).items() if isinstance(value, Domain)]
        if sampled or NETWORK in config:
            raise ExperimentError(
                f"param_space samples {', '.join(sampled) or NETWORK}: with nas.tune.Searcher the search space gives "
                "the networks, and param_space may hold constants only, such as {'recipe': {'batch': 64}}"
            )
        self._metric, self._mode = metric or self._metric, mode or self._mode
        return False  # Tune lays the constants beside each network itself

    @property
    def proposer(self) -> Proposer:
        """Return the proposer, made of the trials so far when it is first asked for."""
        if self._proposer is None:
            experiment = self.experiment
            space, images = load_space(experiment.space), task(experiment.source)
            if self.earlier is None:
                self.earlier = read_earlier_runs(experiment)
            self._proposer = Proposer(experiment, space, images, self.records.values(), earlier=self.earlier)
        return self._proposer

    def suggest(self, trial_id: str) -> Config | str | None:  # type: ignore[override]
        """Return the config of the next network; FINISHED when the space seems to hold no other within the budget."""
        proposal = self.proposer.ask()
        if proposal is None:
            return str(self.FINISHED)
        self._proposals[trial_id] = proposal
        record = TrialRecord.of(
            proposal.graph,
            self.experiment.trial_seed(len(self.records)),
            number=len(self.records),
            choices=proposal.choices,
            fingerprint=proposal.fingerprint,
            cost=proposal.cost,
            distributions=proposal.distributions,
            predicted=self.experiment.predictions(proposal.graph),
            proposal_counts=dict(self.proposer.proposal_counts),
        )
        self.records[trial_id] = record
        return {NETWORK: to_config(record, self.experiment)}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Keep the last result of a trial: it is what a trial tells that a scheduler stops."""
        self._note(trial_id, result)

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Tell the sampler what came of a trial: its last error, or that it failed."""
        if trial_id not in self.records:
            return  # of a part of the experiment that was lost with its searcher's state
        self._note(trial_id, result or {})
        record = self.records[trial_id]
        known = bool(record.scores) and not error
        record = replace(record, state="complete" if known else "failed")
        self.records[trial_id] = record
        if proposal := self._proposals.pop(trial_id, None):
            self.proposer.tell_record(proposal, record)
        elif self._proposer:
            self._proposer.learn(record)

    def _note(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Record the metric of a result as the trial's error; a result that has diverged tells none."""
        record, value = self.records.get(trial_id), result.get(str(self._metric))
        if record is None or value is None:
            return
        error = float(value) if self._mode == "min" else 1.0 - float(value)
        known = isfinite(error) and not result.get("diverged")
        seconds = float(result.get("seconds") or result.get("time_total_s") or 0.0)
        score = Score(int(result.get("epoch") or result.get("training_iteration", 1)), error, seconds=seconds)
        self.records[trial_id] = replace(record, scores=(score,) if known else (), seconds=seconds)

    def save(self, checkpoint_path: str) -> None:
        """Write the trials so far as JSON."""
        trials = [[name, to_plain(record)] for name, record in self.records.items()]
        plain = {"format": VERSION, "trials": trials} | to_earlier_facts(self.earlier or ())
        atomic_write(Path(checkpoint_path), json.dumps(plain))

    def restore(self, checkpoint_path: str) -> None:
        """Go on from the trials of a file that `save` wrote. Raises RunError for any other file."""
        try:
            plain = json.loads(Path(checkpoint_path).read_bytes())
            if plain["format"] != VERSION:
                raise ValueError(f"its format is {plain['format']!r:.40}")
            earlier = earlier_of(plain) if "earlier" in plain else self.earlier
            records = {str(name): from_plain(record) for name, record in plain["trials"]}
        except (KeyError, TypeError, ValueError) as problem:
            raise RunError(f"{checkpoint_path} is not the state of a nas.tune.Searcher: {problem}") from None
        self.earlier, self.records, self._proposals, self._proposer = earlier, records, {}, None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the sampler, which is made again of the trials."""
        return self.__dict__ | {"_proposer": None, "_proposals": {}}
