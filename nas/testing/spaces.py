"""Search spaces that nobody has seen, with all that surrounds a search, each made from one seed; nothing is trained.

`nas.testing.space_checks` checks a sampler on them.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, log
from random import Random
from statistics import fmean

from nas.errors import GenomeError
from nas.genome import Graph, Task
from nas.genome.fingerprint import fingerprint
from nas.genome.primitives import Conv, GapHead
from nas.genome.trial import Space
from nas.search.experiment import Experiment
from nas.search.objectives import OBJECTIVES, Budget, Network, Range
from nas.search.propose.candidate import Candidate, EditedGraph, make_candidate
from nas.search.propose.choices import GuidedTrial
from nas.search.space import checked_space
from nas.search.trial import TrialRecord
from nas.testing.space_kinds import SPACE_KINDS, make_space
from nas.testing.trials import untrained_trial

TASK = Task("digits", (1, 8, 8), 10)
ERRORS = ("smooth", "constant", "ties", "0 or 1", "outliers")
MAX_CHOICES = 40
DRAWS = 40  # networks from which a budget is chosen


@dataclass(frozen=True)
class MadeSpace:
    """A search space and how it is searched.

    kind: of SPACE_KINDS. choices: how many, 1 to 40. workers: proposals in flight. error: how the made-up error is
    distributed, of ERRORS. noise: its standard deviation between trainings. failing: the share of trainings that fail.
    earlier: the number of trials of an earlier run.
    """

    seed: int
    kind: str
    choices: int
    objectives: tuple[str, ...]
    budget: Budget
    fit: bool = False
    workers: int = 1
    error: str = "smooth"
    noise: float = 0.0
    failing: float = 0.0
    earlier: int = 0

    @cached_property
    def space(self) -> Space:
        """Return the space, as one in a file is searched."""
        return checked_space(make_space(SPACE_KINDS[self.kind](self.rng("space"), self.choices)))

    def rng(self, *parts: object) -> Random:
        """Return a generator of its own for some purpose."""
        return Random(repr((self.seed, *parts)))

    def experiment(self, sampler: str = "random", trials: int = 30) -> Experiment:
        """Return the settings of its search."""
        return Experiment(
            name="made", space=self.kind, data=TASK.name, sampler=sampler, trials=trials, seed=self.seed,
            objectives=self.objectives, budget=self.budget, fit=self.fit, workers=self.workers,
        )  # fmt: skip

    def draw(self, rng: Random) -> Candidate | None:
        """Return a network drawn uniformly over the choices; None where they make none."""
        try:
            return make_candidate(self.space, TASK, GuidedTrial(rng))
        except GenomeError:
            return None

    def true_error(self, network: Network) -> float:
        """Return the error without noise: a smooth function of the channels of each layer and of the parameters."""
        channels = [node.shape[0] for node in network.graph.nodes[1:-1] if len(node.shape) == 3]
        wrong = [weight * (log(width) - best) ** 2 for width, (best, weight) in zip(channels, self._best, strict=False)]
        size = (log(network.cost.params) - self._best_size) ** 2
        return 0.02 + 0.9 * (1 - exp(-fmean(wrong or [0.0]) - 0.05 * size))

    def told_error(self, network: Network) -> float | None:
        """Return the error that one training measures, the same each time; None where it fails."""
        luck = self.rng("training", fingerprint(network.graph))
        if luck.random() < self.failing:
            return None
        error = self.true_error(network) + luck.gauss(0, self.noise)
        outlier = luck.random() < 0.1
        return min(max(_spread(self.error, error, outlier), 0.0), 1.0)

    def history(self) -> tuple[TrialRecord, ...]:
        """Return trials of an earlier run: complete, failed and repeated ones, and one without choices."""
        rng = self.rng("history")
        drawn = [each for _ in range(self.earlier) if (each := self.draw(rng))]
        edited = make_candidate(self.space, TASK, EditedGraph(Graph.of(GapHead(10)(Conv(9, 3)(TASK.image()))), ()))
        networks = [*drawn, *drawn[:1], edited] if self.earlier else []
        return tuple([
            untrained_trial(number, each, None if number % 5 == 2 else self.told_error(each))
            for number, each in enumerate(networks)
        ])  # fmt: skip

    @cached_property
    def _best(self) -> list[tuple[float, float]]:
        """Return of each layer the logarithm of its best width, and how much it matters."""
        rng = self.rng("error")
        return [(rng.uniform(log(6), log(64)), rng.random()) for _ in range(3 * MAX_CHOICES)]

    @cached_property
    def _best_size(self) -> float:
        return self.rng("size").uniform(log(2_000), log(200_000))


def _spread(kind: str, error: float, outlier: bool) -> float:
    """Return an error of another distribution."""
    match kind:
        case "constant":
            return 0.5
        case "ties":
            return round(error, 1)
        case "0 or 1":
            return float(error > 0.4)
        case "outliers":
            return 1.0 if outlier else error / 1000
    return error


def made_space(seed: int, kind: str | None = None, min_choices: int = 1) -> MadeSpace:
    """Return a space made from a seed, of a kind of SPACE_KINDS or of any; most have few choices, some have 40."""
    rng = Random(f"made space {seed}")
    any_kind = rng.choice(list(SPACE_KINDS))
    bare = MadeSpace(
        seed=seed,
        kind=kind or any_kind,
        choices=min(MAX_CHOICES, round(exp(rng.uniform(log(min_choices), log(MAX_CHOICES + 1))))),
        objectives=("error", *rng.sample(["params", "macs"], rng.randrange(3))),
        budget=Budget(),
        workers=rng.randint(1, 8),
        error=rng.choice(ERRORS),
        noise=rng.choice((0.0, 0.003, 0.03)),
        failing=rng.choice((0.0, 0.0, 0.1, 0.5, 0.95)),
        earlier=rng.choice((0, 0, 3, 12)),
    )
    return replace(bare, budget=_budget(bare, rng), fit=rng.random() < 0.4)


def _budget(made: MadeSpace, rng: Random) -> Budget:
    """Return no budget, or limits that a share of some drawn networks is inside."""
    drawn = [each for _ in range(DRAWS) if (each := made.draw(rng))]
    if not drawn or rng.random() < 0.4:
        return Budget()
    limits = {}
    for name in rng.sample(["params", "macs", "activations"], rng.randint(1, 2)):
        counts = sorted(int(OBJECTIVES[name].of(each)) for each in drawn)
        high = counts[int(rng.uniform(0.1, 1) * (len(counts) - 1))]
        limits[name] = Range(counts[0] // 2 if rng.random() < 0.3 else None, high)
    return Budget(limits)
