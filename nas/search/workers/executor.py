"""Where trials are trained: on this machine, or wherever Ray finds room. Either is told the same and says the same."""

from typing import Protocol

from nas.search.experiment import Experiment
from nas.search.workers.processes import ProcessPool
from nas.search.workers.worker import Event, Job


class Executor(Protocol):
    """A number of workers, each training one job at a time.

    A job is what `driver.job` writes. Events are a job's scores, and its end with a reason: none when all went well,
    else nan, oom, disk, error, stopped, timeout, killed (its worker died), or lost (its machine did). When a job has
    ended well, its weights lie where the job says.
    """

    def idle(self) -> bool:
        """Whether a worker has nothing to do."""
        ...

    def submit(self, job: Job) -> None:
        """Hand a job to an idle worker; it has `timeout` seconds, if the job says so."""
        ...

    def stop(self, number: int) -> None:
        """End a trial after the epoch it is in, with the reason `stopped`; it may be over before."""
        ...

    def events(self, seconds: float) -> list[Event]:
        """What the workers said meanwhile, waiting at most `seconds` for a first word."""
        ...

    def close(self) -> None:
        """End all workers at once; what they were training is abandoned."""
        ...


def executor(experiment: Experiment, most: int | None = None) -> Executor:
    """The workers an experiment asks for, at most one for each of `most` jobs. Raises RunError without a cluster."""
    count = min(experiment.workers, most or experiment.trials)
    if experiment.executor == "ray":
        from nas.search.workers.ray_cluster import RayCluster

        share = experiment.gpus_per_trial if experiment.device == "cuda" else 0.0
        return RayCluster(count, experiment.cpus_per_trial, share)
    return ProcessPool(count, experiment.gpus_per_trial)
