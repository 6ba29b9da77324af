"""Every network of a small search space."""

import random
from collections.abc import Iterator

from nas.genome import Task
from nas.genome.trial import Space
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import Choices, GuidedTrial


def enumerate_space(space: Space, task: Task) -> Iterator[Candidate]:
    """Yield the network of every combination of choices once, conditional choices included.

    A first answer to each choice leads to one network; every other answer to a choice, after the same answers before
    it, leads to others. A range without a step counts as 64 numbers. Raises GenomeError for choices without a network.
    """
    waiting: list[Choices] = [{}]
    while waiting:
        given = waiting.pop()
        trial = GuidedTrial(random.Random(0), given)
        candidate = make_candidate(space, task, trial)
        answers = list(candidate.choices.items())
        for i in range(len(given), len(answers)):
            name, answer = answers[i]
            others = [value for value in candidate.distributions[name].values if value != answer]
            waiting += [{**dict(answers[:i]), name: value} for value in others]
        yield candidate
