"""A trial that gives recorded choices again."""

import random
from collections.abc import Mapping

from nas.genome.trial import Choice
from nas.search.distributions import Distribution
from nas.search.propose.choices import GuidedTrial


class FixedTrial(GuidedTrial):
    """Answers with recorded choices only; a choice that is not recorded is a KeyError."""

    def __init__(self, choices: Mapping[str, Choice]) -> None:
        super().__init__(random.Random(0), choices)
        self._recorded = choices

    def _value(self, name: str, distribution: Distribution) -> Choice:
        return self._recorded[name]
