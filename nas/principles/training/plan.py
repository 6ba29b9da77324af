"""What has to be trained: for each look of each principle its arms under each seed, and the populations' draws."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nas.genome.fingerprint import fingerprint
from nas.genome.graph import Graph
from nas.principles.claims.population import POPULATIONS, Population
from nas.principles.claims.principle import Principle
from nas.principles.judging.power import looks, size
from nas.principles.study_file import PrincipleStudy

Key = tuple[str, int]
"""By what a training is known: the network's fingerprint and the seed."""


@dataclass(frozen=True)
class Training:
    """A network to be trained from a seed, and what for."""

    graph: Graph
    key: Key
    purpose: str


@dataclass(frozen=True)
class Plan:
    """The trainings of a family, every network drawn once."""

    family: PrincipleStudy

    @cached_property
    def graphs(self) -> dict[str, dict[str, Graph]]:
        """The arms of each principle. Raises GenomeError when some are not matched."""
        canvas = self.family.canvas
        return {principle.key: principle.graphs(canvas) for principle in self.family.principles}

    @cached_property
    def populations(self) -> list[Population]:
        """Those whose principle is tried."""
        keys = {principle.key for principle in self.family.principles}
        return [each for each in POPULATIONS if each.principle in keys and self.family.design.population]

    @cached_property
    def drawn(self) -> dict[str, list[dict[str, Graph]]]:
        """The draws of each population."""
        canvas, count = self.family.canvas, self.family.design.population
        return {each.key: [each.graphs(canvas, number) for number in range(count)] for each in self.populations}

    @cached_property
    def prints(self) -> dict[str, dict[str, str]]:
        """Fingerprints of the arms."""
        return {key: {arm: fingerprint(graph) for arm, graph in arms.items()} for key, arms in self.graphs.items()}

    def key(self, principle: Principle, arm: str, place: int) -> Key:
        """What the arm's training under the seed of this place is known by."""
        apart = principle.offsets.get(arm, 0) * self.looks(principle)[-1]
        return self.prints[principle.key][arm], self.seed(place + apart)

    def looks(self, principle: Principle) -> tuple[int, ...]:
        """The looks that a principle is given."""
        return self._looks[principle.key]

    @cached_property
    def _looks(self) -> dict[str, tuple[int, ...]]:
        members = size(self.family.principles)
        return {each.key: looks(each, self.family.design, members) for each in self.family.principles}

    def seed(self, place: int) -> int:
        """The seed of a place: all arms of a principle have one order of images under it."""
        return self.family.experiment.trial_seed(place)

    def arms(self, principle: Principle, place: int) -> Iterator[Training]:
        """A principle's trainings at a place of the seeds."""
        for arm, graph in self.graphs[principle.key].items():
            key = self.key(principle, arm, place)
            yield Training(graph, key, f"{principle.key} {arm}, seed {key[1]}")

    def draws(self) -> Iterator[Training]:
        """The populations' trainings: one a network, both forms of a draw under one seed."""
        for key, draws in self.drawn.items():
            for number, forms in enumerate(draws):
                for name, graph in forms.items():
                    yield Training(graph, self.drawn_key(graph, number), f"{key} {name}, draw {number}")

    def drawn_key(self, graph: Graph, number: int) -> Key:
        """By what the training of a draw is known."""
        return fingerprint(graph), self.seed(number)

    def all(self) -> dict[Key, Training]:
        """Every training there could be, each once, in order: by seed, then the populations after the first look."""
        found = [*self.wave(0, self.family.principles), *self.draws()]
        for number in range(1, len(self.family.design.looks)):
            found += self.wave(number, self.family.principles)
        return {each.key: each for each in reversed(found)}

    def wave(self, number: int, principles: Sequence[Principle]) -> list[Training]:
        """What the look of this number, from 0, asks of some principles, seed by seed."""
        seeds = {each.key: self.looks(each)[number] for each in principles if number < len(self.looks(each))}
        return [
            training
            for place in range(max(seeds.values(), default=0))
            for each in principles
            if place < seeds.get(each.key, 0)
            for training in self.arms(each, place)
        ]
