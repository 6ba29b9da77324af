"""The interface of executors: each takes the same jobs and returns the same events."""

from typing import Protocol

from nas.errors import ExperimentError
from nas.search.experiment import Experiment
from nas.search.registries import EXECUTORS
from nas.search.workers.job import Event, Job

METHODS = ("idle", "submit", "stop", "proceed", "events", "close")


class Executor(Protocol):
    """A number of workers, each training one job at a time."""

    def idle(self) -> bool:
        """Return whether a worker has nothing to do."""
        ...

    def submit(self, job: Job) -> None:
        """Give a job to an idle worker; it may take the job's timeout."""
        ...

    def stop(self, number: int) -> None:
        """End a job after the epoch it is in, with Reason.STOPPED; it may have ended before."""
        ...

    def proceed(self, number: int) -> None:
        """Let a job go on that waits after an epoch of its rungs; it may have ended before."""
        ...

    def events(self, seconds: float) -> list[Event]:
        """Return progress and outcomes since the last call, waiting at most `seconds` for a first one.

        Reason.KILLED is of a worker that died of its job; of one that died before it began the job, Reason.LOST.
        """
        ...

    def close(self) -> None:
        """End all workers at once; what they were training is lost."""
        ...


def make_executor(experiment: Experiment, max_jobs: int | None = None) -> Executor:
    """Return the workers an experiment asks for, at most one per job.

    Raises ExperimentError for one of a user's own that is not an executor, and RunError without a cluster.
    """
    plugin = EXECUTORS.find(experiment.executor)
    target = plugin.load()
    if not callable(getattr(target, "for_experiment", None)):
        raise ExperimentError(f"executor {plugin.name}: {plugin.target} has no for_experiment(experiment, count)")
    executor: Executor = target.for_experiment(experiment, min(experiment.workers, max_jobs or experiment.trials))
    if missing := [name for name in METHODS if not callable(getattr(executor, name, None))]:
        raise ExperimentError(
            f"executor {plugin.name}: {type(executor).__name__} has no {', '.join(missing)}(); `Executor` of "
            "nas/search/workers/executor.py says what each does"
        )
    return executor
