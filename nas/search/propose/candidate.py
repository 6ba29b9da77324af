"""A network as drawn and counted, before it is trained."""

import random
from dataclasses import dataclass
from functools import cached_property

from nas.genome.cost import Cost, cost
from nas.genome.graph import Graph
from nas.genome.layer_ngrams import LayerNgrams, layer_ngrams
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.distributions import Distributions, from_optuna
from nas.search.propose.choices import AskedTrial, Choices, GuidedTrial


@dataclass(frozen=True)
class EditedGraph:
    """A network made by editing others, in place of a trial: it has no choices."""

    graph: Graph
    parents: tuple[str, ...]  # fingerprints


@dataclass(frozen=True)
class Candidate:
    """A network with its choices and its exact counts.

    parents: fingerprints of the networks it was edited from; empty for one drawn from the space.
    """

    choices: Choices
    distributions: Distributions
    graph: Graph
    cost: Cost
    parents: tuple[str, ...] = ()

    @cached_property
    def ngrams(self) -> LayerNgrams:
        """Return how often each sequence of up to three layers occurs."""
        return layer_ngrams(self.graph)


def make_candidate(space: Space, task: Task, trial: AskedTrial | EditedGraph) -> Candidate:
    """Call the space with a trial and count the network. Raises GenomeError where it is not one for the task."""
    if isinstance(trial, EditedGraph):
        task.check(trial.graph)
        return Candidate({}, {}, trial.graph, cost(trial.graph), trial.parents)
    graph = space(trial, task)
    task.check(graph)
    distributions = {name: from_optuna(distribution) for name, distribution in trial.distributions.items()}
    return Candidate(dict(trial.params), distributions, graph, cost(graph))


def sample_network(space: Space, task: Task, seed: int, lowest: bool = False) -> Graph:
    """Return one network drawn uniformly over the choices, or with `lowest` at the low end of every range.

    Raises GenomeError where the draw does not make a network for the task.
    """
    graph = space(GuidedTrial(random.Random(seed), lowest=lowest), task)
    task.check(graph)
    return graph
