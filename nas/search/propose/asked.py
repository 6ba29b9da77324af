"""A network that a person or another program asks for by its choices."""

import json
import random
from collections.abc import Mapping
from typing import cast

from nas.errors import BudgetError, ExperimentError
from nas.genome.task import Task
from nas.genome.trial import Choice, Space
from nas.search.distributions import in_words
from nas.search.objectives import Budget
from nas.search.propose.candidate import Candidate, make_candidate
from nas.search.propose.choices import Choices, GuidedTrial


def make_asked(space: Space, task: Task, budget: Budget, choices: Mapping[str, object], seed: int) -> Candidate:
    """Return the network of these choices, exactly; names that are missing are drawn.

    Raises ExperimentError for a name or a value that the space does not have, BudgetError for a network outside the
    budget, and GenomeError where the choices make no network.
    """
    given: Choices = {name: _choice(value) for name, value in choices.items()}
    candidate = make_candidate(space, task, GuidedTrial(random.Random(seed), given))
    for name, value in given.items():
        if name not in candidate.choices:
            known = ", ".join(candidate.choices)
            raise ExperimentError(f"{name[:60]!r} is not asked for with these choices; there are: {known:.300}")
        if candidate.choices[name] != value:
            wanted = in_words(candidate.distributions[name])
            raise ExperimentError(f"{name!r} cannot be {value!r:.60}; it is {wanted:.200}")
    if why := budget.explain(candidate):
        raise BudgetError(f"the network is {why}")
    return candidate


def _choice(value: object) -> Choice:
    """Return a value as a space sees it: a list or a table by its label."""
    return json.dumps(value) if isinstance(value, list | tuple | dict) else cast("Choice", value)
