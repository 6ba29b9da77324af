"""Trials of earlier runs of the same space: what a sampler is told before its first proposal."""

import random
from collections.abc import Iterable
from dataclasses import field
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from nas.errors import GenomeError, RunError
from nas.genome.cost import cost
from nas.genome.genome_json import from_json
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.objectives import Objective
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import Choices, GuidedTrial
from nas.search.propose.samplers.base import EarlierSampler, Sampler, vector


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class EarlierTrial:
    """A finished trial of an earlier run.

    source: the run, as the experiment names it. measured: its measured objectives, in the order of this experiment.
    choices: from which the space makes its network. genome: the network, where no choices make it.
    """

    source: str
    measured: tuple[Annotated[float, Field(allow_inf_nan=False)], ...]
    choices: Choices = field(default_factory=dict)
    genome: str = ""

    def candidate(self, space: Space, task: Task) -> Candidate | None:
        """Return the network for the images of a task, counted; None where there is none for them."""
        try:
            if self.genome:
                return _of_genome(self.genome, task)
            made = make_candidate(space, task, GuidedTrial(random.Random(0), self.choices))
        except GenomeError:
            return None
        return made if made.choices == self.choices else None


def _of_genome(genome: str, task: Task) -> Candidate:
    graph = from_json(genome)
    task.check(graph)
    return Candidate({}, {}, graph, cost(graph))


def tell_earlier_trials(
    sampler: Sampler, trials: Iterable[EarlierTrial], space: Space, task: Task, objectives: tuple[Objective, ...]
) -> None:
    """Tell a sampler of trials of earlier runs, in order: exact objectives as they are for the images of this task.

    Raises RunError for a trial whose network the space does not make, or that lacks an objective.
    """
    measured = sum(not each.exact for each in objectives)
    for trial in trials:
        candidate = trial.candidate(space, task)
        if candidate is None or len(trial.measured) != measured:
            raise RunError(f"a trial that was recorded of {trial.source:.100} is not one of this experiment")
        values = vector(objectives, candidate, trial.measured)
        if isinstance(sampler, EarlierSampler):
            sampler.tell_earlier(candidate, values, trial.source)
        else:
            sampler.tell(None, candidate, values)
