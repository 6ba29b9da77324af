"""Progress of a Tuner as a line per trial that ends."""

import sys
from typing import Any

from ray import tune
from ray.tune.experiment import Trial


class TrialLines(tune.Callback):
    """Prints a line on stderr as each trial ends. total: trials in all."""

    def __init__(self, total: int) -> None:
        self.total, self.ended, self.best = total, 0, 1.0

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Print a trial that ended, or was stopped early."""
        last = trial.last_result
        self.best = min(self.best, float(last.get("error", 1.0)))
        counts = f"{last.get('params', 0):,} params, {last.get('macs', 0):,} MACs"
        self._print(f"error {last.get('error', 1.0):.4f} after epoch {last.get('training_iteration', 0)}, {counts}")

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Print a trial that failed."""
        self._print(f"failed; see {trial.error_file}")

    def _print(self, text: str) -> None:
        self.ended += 1
        print(f"{self.ended} of {self.total}: {text}; best {self.best:.4f}", file=sys.stderr, flush=True)  # noqa: T201

    def get_state(self) -> dict[str, Any]:
        """Return the counts, for a restored Tuner."""
        return {"ended": self.ended, "best": self.best}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from the counts of `get_state`."""
        self.ended, self.best = state["ended"], state["best"]
