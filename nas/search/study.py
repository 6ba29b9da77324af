"""A run directory: the experiment, and Optuna's study as the one record of every trial.

runs/NAME/experiment.toml   effective, complete
runs/NAME/study.db          Optuna's storage (SQLite)
runs/NAME/trials/000012/    weights of kept trials
runs/NAME/report/           pages and figures
"""

from dataclasses import dataclass
from typing import Any, Literal

from nas.genome.cost import Cost
from nas.genome.graph import Graph
from nas.training.score import Score

State = Literal["running", "complete", "pruned", "failed"]


@dataclass(frozen=True)
class Record:
    """One trial: what was chosen, what it is, what it cost, how it did."""

    number: int
    choices: dict[str, Any]
    graph: Graph
    fingerprint: str
    cost: Cost
    scores: tuple[Score, ...]
    state: State
    reason: str  # of a failure: nan, oom, timeout, killed, error; empty otherwise
    seconds: float  # of training

    @property
    def error(self) -> float | None:
        """Validation error after the last epoch, a fraction; None unless the trial is complete."""
        return self.scores[-1].error if self.state == "complete" and self.scores else None

    def objectives(self, names: tuple[str, ...]) -> tuple[float, ...] | None:
        """The values to be minimised, in order; None unless the trial is complete."""
        if self.error is None:
            return None
        return tuple(self.error if name == "error" else float(getattr(self.cost, name)) for name in names)
