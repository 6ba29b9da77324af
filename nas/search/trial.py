"""One trial: its choices, network, counts and scores."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from nas.errors import NasError, RunError, one_line
from nas.genome.cost import Cost, cost
from nas.genome.fingerprint import fingerprint
from nas.genome.genome_json import UnknownOpError, from_json, to_json
from nas.genome.graph import Graph, is_bundled, lower, own_blocks
from nas.genome.trial import Choice
from nas.search.distributions import Distributions
from nas.search.objectives import OBJECTIVES, Vector
from nas.training.score import Score

State = Literal["running", "complete", "pruned", "failed"]
RecipeValue = bool | int | float | str
Attributes = dict[str, Any]  # of a trial or a study in Optuna's storage
MAX_DIFFERENCE = 0.01  # of the error of a repeated training from the first's


class Reason(StrEnum):
    """Why a training ended before its last epoch; NONE for one that did not."""

    NONE = ""
    DIVERGED = "nan"
    OUT_OF_MEMORY = "oom"
    DISK_FULL = "disk"
    ERROR = "error"
    TIMEOUT = "timeout"
    KILLED = "killed"
    LOST = "lost"
    STOPPED = "stopped"
    ABANDONED = "abandoned"

    @property
    def summary(self) -> str:
        """Return what happened, for a table."""
        return _SUMMARIES[self]


_SUMMARIES = {
    Reason.NONE: "complete",
    Reason.DIVERGED: "nan: the loss or the error was no longer a number",
    Reason.OUT_OF_MEMORY: "oom: the worker ran out of memory",
    Reason.DISK_FULL: "disk: no room for the weights",
    Reason.ERROR: "error: the training raised an exception",
    Reason.TIMEOUT: "timeout: the trial took too long",
    Reason.KILLED: "killed: the worker process died",
    Reason.LOST: "lost: the machine, its connection or an idle worker failed",
    Reason.STOPPED: "stopped: successive halving ended it early",
    Reason.ABANDONED: "abandoned: no process was training it any more",
}


@dataclass(frozen=True)
class TrialRecord:
    """One trial: what was chosen, the network, its counts and its scores.

    genome: the network as JSON, parsed when `graph` is asked for. reason, detail: of a failure. seconds: of training.
    baseline: the known network it is, empty for a trial of the search. repeated: epochs trained a second time, after it
    was stopped and promoted. parents: numbers of the trials it was edited from. distributions: of the choices.
    proposal_counts: proposals by outcome when it began. purpose: what a study of principles trains it for.
    plain_genome: the network with the user's own blocks written out in layers, for readers without their code.
    predicted: by objective, what a model of the experiment predicted before training. recipe: settings in which its
    training differs from the experiment's.
    """

    number: int
    choices: dict[str, Choice]
    genome: str
    fingerprint: str
    cost: Cost
    seed: int
    scores: tuple[Score, ...] = ()
    state: State = "running"
    reason: Reason = Reason.NONE
    detail: str = ""
    seconds: float = 0.0
    baseline: str = ""
    repeated: int = 0
    parents: tuple[int, ...] = ()
    distributions: Distributions = field(default_factory=dict, repr=False, compare=False)
    proposal_counts: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)
    purpose: str = ""
    plain_genome: str = field(default="", repr=False, compare=False)
    predicted: Mapping[str, float] = field(default_factory=dict)
    recipe: Mapping[str, RecipeValue] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, seed: int, number: int = -1, **known: Any) -> "TrialRecord":
        """Return a trial of a network that begins; its other fields are given by name."""
        made: dict[str, Any] = {"choices": {}, "genome": to_json(graph)}
        if own_blocks(graph):
            made["plain_genome"] = to_json(lower(graph, is_bundled))
        if "fingerprint" not in known:
            made["fingerprint"] = fingerprint(graph)
        if "cost" not in known:
            made["cost"] = cost(graph)
        return cls(number=number, seed=seed, **(made | known))

    @cached_property
    def graph(self) -> Graph:
        """Return the network, with the user's own blocks written out where their code is not loaded.

        Raises RunError when the genome is damaged, is not of the network that was counted, or needs code.
        """
        try:
            graph = _read_network(self.genome, self.plain_genome)
            counted = cost(graph)
        except UnknownOpError as problem:
            raise RunError(
                f"trial {self.number}: {one_line(problem)}. If the search space defines it, name its file once: "
                "nas report RUN --space FILE.py"
            ) from None
        except NasError as problem:
            raise damaged(self.number, problem) from None
        if counted != self.cost:
            raise damaged(self.number, f"its genome has {counted}, its record {self.cost}")
        return graph

    def check_blocks(self) -> None:
        """Raise RunError unless the code of the network's own blocks is loaded: its weights are named by them."""
        if self.plain_genome and not own_blocks(self.graph):
            raise RunError(
                f"trial {self.number} has building blocks of its search space's own, whose code is not loaded; name "
                "the space's file: --space FILE.py"
            )

    @property
    def known_error(self) -> float | None:
        """Return the last validation error, also of a trial stopped early; None while it runs or when it failed."""
        return self.scores[-1].error if self.state in ("complete", "pruned") and self.scores else None

    @property
    def error(self) -> float | None:
        """Return the validation error after the last epoch, a fraction; None unless the trial is complete."""
        return self.scores[-1].error if self.state == "complete" and self.scores else None

    @property
    def misclassified(self) -> str:
        """Return which validation images it misclassifies, as kept in its last score; "" where that is not known."""
        return self.scores[-1].misclassified if self.error is not None else ""

    def is_repeated_by(self, error: float) -> bool:
        """Return whether a training from the same seed gave the same validation error, up to MAX_DIFFERENCE."""
        return self.error is not None and abs(error - self.error) <= MAX_DIFFERENCE

    def objectives(self, names: tuple[str, ...]) -> Vector | None:
        """Return the values to be minimized, in order; None unless the trial is complete."""
        return None if self.error is None else self.vector(names)

    def measured(self, names: tuple[str, ...]) -> Vector | None:
        """Return the values that training measured, in order, also of a trial stopped early; None of any other."""
        if self.known_error is None:
            return None
        return self.vector(tuple([name for name in names if not OBJECTIVES[name].exact]))

    def curve(self, name: str) -> tuple[float, ...]:
        """Return the value of an objective after each epoch that was trained."""
        ends = range(1, len(self.scores) + 1)
        return tuple([float(OBJECTIVES[name].of(replace(self, scores=self.scores[:end]))) for end in ends])

    def vector(self, names: tuple[str, ...]) -> Vector:
        """Return the values after the last of its scores, whatever its state."""
        return tuple([float(OBJECTIVES[name].of(self)) for name in names])


def _read_network(genome: str, plain_genome: str) -> Graph:
    try:
        return from_json(genome)
    except UnknownOpError:
        if not plain_genome:
            raise
        return from_json(plain_genome)


def damaged(number: int, problem: object) -> RunError:
    """Return the error of a trial that cannot be read."""
    what = repr(problem) if isinstance(problem, Exception) else problem
    return RunError(f"trial {number} of the study is damaged: {' '.join(str(what).split()):.200}")
