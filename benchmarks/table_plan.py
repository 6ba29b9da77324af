"""What a table of trainings holds: which networks, trained how, in which order."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import torch

from nas.search.propose.candidate import Candidate
from nas.search.space import load_space
from nas.testing.enumeration import enumerate_space
from nas.training.batches import Batches
from nas.training.data import Source, load_data, load_test, task
from nas.training.device import step_dtype
from nas.training.recipe import Recipe, recipe

RECIPE = replace(recipe("fast"), epochs=8, batch=64, crop_padding=2)
"""As `fast`, where a shift is an eighth of the side too. In batches of 128, 8 epochs of 10,000 images are few steps."""
ORDER_SEED = 0
CPU = torch.device("cpu")


@dataclass(frozen=True)
class TablePlan:
    """Every network of a space, trained from each seed."""

    space: str
    source: Source
    recipe: Recipe = RECIPE
    seeds: Sequence[int] = (0, 1)

    @cached_property
    def networks(self) -> list[Candidate]:
        """The networks, in the order in which they are trained."""
        networks = list(enumerate_space(load_space(self.space), task(self.source)))
        random.Random(ORDER_SEED).shuffle(networks)
        return networks

    @property
    def pairs(self) -> list[tuple[Candidate, int]]:
        """Each network with each seed: all networks with the first seed, then all with the next."""
        return [(network, seed) for seed in self.seeds for network in self.networks]

    @cached_property
    def test(self) -> Batches:
        """The test images. Raises DataError."""
        return Batches(load_test(self.source), load_data(self.source), CPU)

    @cached_property
    def settings(self) -> str:
        """All that decides a training besides the network and the seed, as JSON. Raises DataError.

        Of images and recipe what differs from the defaults, so that settings added to the toolkit later change nothing.
        """
        images = _differences(replace(self.source, directory=None), Source(self.source.name))
        content = {
            "data": self.source.name,
            "digest": load_data(self.source).digest,
            "images": images,
            "recipe": _differences(self.recipe, Recipe()),
            "precision": str(step_dtype(self.recipe, CPU)),
        }
        return json.dumps(content, sort_keys=True)


def _differences(settings: Source | Recipe, default: Source | Recipe) -> dict[str, object]:
    others = asdict(default)
    return {name: value for name, value in asdict(settings).items() if value != others[name]}
