"""Runs for MLflow, in the database RUN/mlflow.db."""

import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nas.errors import RunError, one_line
from nas.search.store.trackers.tracker import CURVES, facts_of, title_of
from nas.search.trial import TrialRecord

STATES = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


class MlflowRuns:
    """A run of MLflow per trial: error and losses by epoch, choices and counts as parameters.

    They are written at once, into a file; MLflow's own telemetry is turned off for this process. Raises RunError.
    """

    def __init__(self, path: Path, name: str) -> None:
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # read when it is imported
        import mlflow

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of each table that it makes
        self._mlflow, self._runs = mlflow, dict[int, str]()
        with self._failures():
            self._client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{path.absolute() / 'mlflow.db'}")
            found = self._client.get_experiment_by_name(name)
            place = (path.absolute() / "mlartifacts").as_uri()
            made = found.experiment_id if found else self._client.create_experiment(name, artifact_location=place)
        self._experiment: str = made

    def scored(self, record: TrialRecord) -> None:
        """Add the last epoch of a trial. Raises RunError."""
        score, now = record.scores[-1], int(1000 * time.time())
        entities = self._mlflow.entities
        metrics = [entities.Metric(curve, getattr(score, curve), now, score.epoch) for curve in CURVES]
        with self._failures():
            self._client.log_batch(self._run(record), metrics=metrics, synchronous=True)

    def ended(self, record: TrialRecord) -> None:
        """End a trial's run; another begins if it is trained again. Raises RunError."""
        with self._failures():
            run = self._run(record)
            if record.reason:
                self._client.set_tag(run, "reason", f"{record.reason} {one_line(record.detail)}"[:500])
            self._client.set_terminated(run, STATES[record.state])
        self._runs.pop(record.number, None)

    def _run(self, record: TrialRecord) -> str:
        if record.number not in self._runs:
            run = self._client.create_run(self._experiment, run_name=title_of(record)).info.run_id
            params = [self._param(name, value) for name, value in facts_of(record).items()]
            self._client.log_batch(run, params=params, synchronous=True)
            self._runs[record.number] = run
        return self._runs[record.number]

    def _param(self, name: str, value: object) -> Any:
        return self._mlflow.entities.Param(re.sub(r"[^\w\-. /]", "_", name)[:250], str(value)[:500])

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except self._mlflow.MlflowException as problem:
            raise RunError(f"MLflow cannot write mlflow.db in the run directory: {one_line(problem):.300}") from None
