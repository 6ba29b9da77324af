"""Every network of a small search space."""

import random
from collections.abc import Iterator

from nas.errors import GenomeError
from nas.genome import Task
from nas.genome.trial import Space
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import Choices, GuidedTrial


def enumerate_space(space: Space, task: Task) -> Iterator[Candidate]:
    """Yield the network of every combination of choices once, conditional choices included."""
    return (network for network in enumerate_choices(space, task) if network)


def enumerate_choices(space: Space, task: Task) -> Iterator[Candidate | None]:
    """Yield the network of every combination of choices, and None where there is none.

    A first answer to each choice leads to one network; every other answer to a choice, after the same answers before
    it, leads to others. A range without a step counts as 64 numbers. Nothing is written out, so that a large space can
    be begun.
    """
    yield from _after(space, task, {})


def _after(space: Space, task: Task, given: Choices) -> Iterator[Candidate | None]:
    """Yield the networks whose first answers are given."""
    trial = GuidedTrial(random.Random(0), given)
    try:
        yield make_candidate(space, task, trial)
    except GenomeError:
        yield None
    answers = list(trial.params.items())
    for i in reversed(range(len(given), len(answers))):
        name, answer = answers[i]
        for value in reversed(trial.distributions[name].values):
            if (type(value), value) != (type(answer), answer):
                yield from _after(space, task, {**dict(answers[:i]), name: value})
