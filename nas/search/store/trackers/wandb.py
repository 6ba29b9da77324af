"""Runs for Weights & Biases, offline, in RUN/wandb."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nas.errors import RunError, one_line
from nas.search.store.trackers.tracker import CURVES, facts_of, title_of
from nas.search.trial import TrialRecord


class WandbRuns:
    """An offline run of Weights & Biases per trial: error and losses by epoch, choices and counts as configuration.

    Nothing is sent; `wandb sync` does that. Raises RunError.
    """

    def __init__(self, path: Path, name: str) -> None:
        os.environ["WANDB_ERROR_REPORTING"] = "false"  # its own errors, to its makers, also when it is offline
        import wandb

        self._wandb, self._path, self._name, self._runs = wandb, path, name, dict[int, Any]()
        self._settings = wandb.Settings(
            silent=True, console="off", x_disable_stats=True, disable_git=True, disable_code=True,
            symlink=False,
        )  # fmt: skip

    def scored(self, record: TrialRecord) -> None:
        """Add the last epoch of a trial. Raises RunError."""
        score = record.scores[-1]
        with self._failures():
            self._run(record).log({curve: getattr(score, curve) for curve in CURVES}, step=score.epoch)

    def ended(self, record: TrialRecord) -> None:
        """End a trial's run; another begins if it is trained again. Raises RunError."""
        with self._failures():
            run = self._run(record)
            run.summary.update({"state": record.state, "reason": str(record.reason), "seconds": record.seconds})
            run.finish(exit_code=int(record.state == "failed"))
        self._runs.pop(record.number, None)

    def _run(self, record: TrialRecord) -> Any:
        if record.number not in self._runs:
            run = self._runs[record.number] = self._wandb.init(
                mode="offline", dir=str(self._path), project=self._name, group=self._path.name, name=title_of(record),
                config=facts_of(record), reinit="create_new", settings=self._settings,
            )  # fmt: skip
            for link in [each for each in Path(run.dir).parent.rglob("*") if each.is_symlink()]:
                link.unlink()  # to its log; a run directory has files of its own only
        return self._runs[record.number]

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except self._wandb.Error as problem:
            raise RunError(f"Weights & Biases cannot write into the run directory: {one_line(problem):.300}") from None
