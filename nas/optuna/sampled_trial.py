"""A trial before it is one: a sampler answers the space, and no study records it."""

import random
from collections.abc import Callable, Mapping
from typing import Any, cast

from optuna.distributions import BaseDistribution

from nas.genome.trial import Choice
from nas.search.distributions import Distribution, OneOf, to_optuna
from nas.search.propose.choices import GuidedTrial


class SampledTrial(GuidedTrial):
    """A trial that answers as Optuna's does, without a record: what is fixed, a joint draw, then one by one.

    sample: asked for a name that neither answers, with its distribution and the trial so far. asked: whether any
    answer came of the sampler.
    """

    def __init__(
        self,
        fixed: Mapping[str, Any],
        joint: Mapping[str, Any],
        sample: Callable[[str, BaseDistribution, "SampledTrial"], Any],
    ) -> None:
        super().__init__(random.Random(0))
        self._fixed, self._joint, self._sample, self.asked = fixed, joint, sample, False

    def _value(self, name: str, distribution: Distribution) -> Choice:
        wanted = to_optuna(distribution)
        if name in self._fixed:
            return cast("Choice", _plain(wanted, self._fixed[name]))
        if wanted.single():
            return distribution.values[0]
        self.asked = True
        value: Any = _plain(wanted, self._joint[name]) if name in self._joint else None
        if not distribution.allows(value):
            value = _plain(wanted, self._sample(name, wanted, self))
        return cast("Choice", value) if isinstance(distribution, OneOf) else distribution.nearest(value)


def _plain(distribution: BaseDistribution, value: Any) -> Any:
    """Return a value as Optuna gives it to a space."""
    return distribution.to_external_repr(distribution.to_internal_repr(value))
