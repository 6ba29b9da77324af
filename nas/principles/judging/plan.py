"""What has to be trained: the arms of each principle in each setting."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from nas.genome.fingerprint import fingerprint
from nas.genome.graph import Graph
from nas.principles.claims.principle import Principle
from nas.principles.claims.setting import Setting
from nas.principles.study_file import PrincipleStudy
from nas.search.trial import RecipeValue, TrialRecord
from nas.training.data import Source

Recipe = tuple[tuple[str, RecipeValue], ...]
Key = tuple[str, Recipe, int]
"""What identifies a training: the network's fingerprint, how its recipe differs, and the seed of the setting."""


def key_of(record: TrialRecord) -> Key:
    """Return what identifies the training of a trial."""
    return record.fingerprint, tuple(sorted(record.recipe.items())), record.seed


@dataclass(frozen=True)
class PlannedTraining:
    """A network to be trained on the images of a setting, and its purpose in words."""

    graph: Graph
    key: Key
    source: Source
    purpose: str

    @property
    def record(self) -> TrialRecord:
        """Return the trial that begins with it."""
        code, recipe, seed = self.key
        return TrialRecord.of(self.graph, seed, fingerprint=code, purpose=self.purpose, recipe=dict(recipe))


@dataclass(frozen=True)
class MatchedArms:
    """The arms of a principle in one setting: their networks, and what identifies their trainings."""

    setting: Setting
    graphs: dict[str, Graph]
    keys: dict[str, Key]


@dataclass(frozen=True)
class Plan:
    """The trainings of a study; every network is built once."""

    study: PrincipleStudy

    @cached_property
    def arms(self) -> dict[str, list[MatchedArms]]:
        """Return the arms of each principle by its key, per setting. Raises GenomeError when some cannot be matched."""
        indices = range(self.study.design.settings)
        return {each.key: [self._arms(each, index) for index in indices] for each in self.study.principles}

    def _arms(self, principle: Principle, index: int) -> MatchedArms:
        setting, graphs = self.study.matched_setting(principle, index)
        keys = {name: self._key(principle, name, graph, index) for name, graph in graphs.items()}
        return MatchedArms(setting, graphs, keys)

    def _key(self, principle: Principle, name: str, graph: Graph, index: int) -> Key:
        recipe = tuple(sorted(principle.arm(name).recipe.items()))
        return fingerprint(graph), recipe, self.study.seed(index)

    @cached_property
    def trainings(self) -> dict[Key, PlannedTraining]:
        """Return every training once, setting by setting."""
        found: dict[Key, PlannedTraining] = {}
        for index in range(self.study.design.settings):
            for principle in self.study.principles:
                for training in self._trainings(principle, index):
                    found.setdefault(training.key, training)
        return found

    def _trainings(self, principle: Principle, index: int) -> Iterator[PlannedTraining]:
        arms = self.arms[principle.key][index]
        for name, graph in arms.graphs.items():
            purpose = f"{principle.key} {name}, setting {index}"
            yield PlannedTraining(graph, arms.keys[name], self.study.source(index), purpose)
