"""What has to be trained: the arms of each principle under each seed, and the draws of the populations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nas.genome.fingerprint import fingerprint
from nas.genome.graph import Graph
from nas.principles.claims.population import POPULATIONS, Population
from nas.principles.claims.principle import Principle
from nas.principles.judging.power import analysis_seeds, count_claims
from nas.principles.study_file import PrincipleStudy

Key = tuple[str, int]
"""What identifies a training: the network's fingerprint and the seed."""


@dataclass(frozen=True)
class PlannedTraining:
    """A network to be trained from a seed, and its purpose in words."""

    graph: Graph
    key: Key
    purpose: str


@dataclass(frozen=True)
class Plan:
    """The trainings of a study; every network is built once."""

    study: PrincipleStudy

    @cached_property
    def graphs(self) -> dict[str, dict[str, Graph]]:
        """Return the arms of each principle. Raises GenomeError when some are not matched."""
        scale = self.study.scale
        return {principle.key: principle.graphs(scale) for principle in self.study.principles}

    @cached_property
    def populations(self) -> list[Population]:
        """Return the populations of the study's principles."""
        keys = {principle.key for principle in self.study.principles}
        return [each for each in POPULATIONS if each.principle in keys and self.study.design.population]

    @cached_property
    def draws(self) -> dict[str, list[dict[str, Graph]]]:
        """Return the draws of each population, both forms of each."""
        scale, count = self.study.scale, self.study.design.population
        return {each.key: [each.graphs(scale, number) for number in range(count)] for each in self.populations}

    @cached_property
    def fingerprints(self) -> dict[str, dict[str, str]]:
        """Return the fingerprints of the arms."""
        return {key: {arm: fingerprint(graph) for arm, graph in arms.items()} for key, arms in self.graphs.items()}

    @cached_property
    def _analysis_seeds(self) -> dict[str, tuple[int, ...]]:
        claims = count_claims(self.study.principles)
        return {each.key: analysis_seeds(each, self.study.design, claims) for each in self.study.principles}

    def analysis_seeds(self, principle: Principle) -> tuple[int, ...]:
        """Return the numbers of seeds at which a principle is analyzed."""
        return self._analysis_seeds[principle.key]

    def seed(self, index: int) -> int:
        """Return the seed of this index; all arms of a principle see one order of images under it."""
        return self.study.experiment.trial_seed(index)

    def arm_key(self, principle: Principle, arm: str, index: int) -> Key:
        """Return what identifies the arm's training under the seed of this index."""
        offset = principle.offsets.get(arm, 0) * self.analysis_seeds(principle)[-1]
        return self.fingerprints[principle.key][arm], self.seed(index + offset)

    def draw_key(self, graph: Graph, number: int) -> Key:
        """Return what identifies the training of a draw."""
        return fingerprint(graph), self.seed(number)

    def arm_trainings(self, principle: Principle, index: int) -> Iterator[PlannedTraining]:
        """Yield a principle's trainings under the seed of this index."""
        for arm, graph in self.graphs[principle.key].items():
            key = self.arm_key(principle, arm, index)
            yield PlannedTraining(graph, key, f"{principle.key} {arm}, seed {key[1]}")

    def population_trainings(self) -> Iterator[PlannedTraining]:
        """Yield the populations' trainings: one per network, both forms of a draw under one seed."""
        for key, draws in self.draws.items():
            for number, forms in enumerate(draws):
                for name, graph in forms.items():
                    yield PlannedTraining(graph, self.draw_key(graph, number), f"{key} {name}, draw {number}")

    def wave(self, number: int, principles: Sequence[Principle]) -> list[PlannedTraining]:
        """Return what interim analysis `number`, from 0, needs of these principles, seed by seed."""
        by_key = {each.key: self.analysis_seeds(each) for each in principles}
        seeds = {key: planned[number] for key, planned in by_key.items() if number < len(planned)}
        return [
            training
            for index in range(max(seeds.values(), default=0))
            for each in principles
            if index < seeds.get(each.key, 0)
            for training in self.arm_trainings(each, index)
        ]

    def all_trainings(self) -> dict[Key, PlannedTraining]:
        """Return every training that may be needed, each once."""
        trainings = [*self.wave(0, self.study.principles), *self.population_trainings()]
        for number in range(1, len(self.study.design.interim_seeds)):
            trainings += self.wave(number, self.study.principles)
        return {each.key: each for each in reversed(trainings)}
