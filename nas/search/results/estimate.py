"""An estimate of the time and disk a run takes, from one of its networks trained for one or two epochs."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from nas.errors import RunError
from nas.genome.cost import Cost
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.experiment import Experiment
from nas.search.propose.proposer import Proposer
from nas.search.trial import TrialRecord
from nas.search.workers.job import Job, Progress
from nas.search.workers.worker import train_job

DRAWS = 21  # networks from which the one of median MACs is taken
LONG = 5.0  # seconds; where the first epoch takes longer it is timed alone, else the second is
STUDY, EPOCH = 6_000, 300  # bytes in the study per trial without its genome, and per epoch


@dataclass(frozen=True)
class RunEstimate:
    """The cost of a whole run, if no trial is stopped early and every worker has a core of its own.

    network: the one timed, of median MACs among those inside the budget. epoch: its seconds. seconds: of the run.
    study: bytes of the study. weights: bytes if those of every trial were kept; only the front's are.
    """

    network: Cost
    epoch: float
    seconds: float
    study: int
    weights: int


def estimate_run(experiment: Experiment, space: Space, task: Task) -> RunEstimate:
    """Train a network of median MACs in this process, on the experiment's images and device.

    Raises DataError without the images, and RunError when the training fails.
    """
    record = typical(experiment, space, task)
    epoch = _timed(experiment, record)
    epochs, trials = experiment.recipe.epochs, experiment.trials
    turns = -(-trials // experiment.workers)
    again, more = experiment.finalists, 0
    if again:
        more = -(-again.top * again.seeds // experiment.workers) * again.recipe(experiment.recipe).epochs
    study = trials * (STUDY + len(record.genome) + EPOCH * epochs)
    return RunEstimate(record.cost, epoch, (turns * epochs + more) * epoch, study, trials * 4 * record.cost.params)


def typical(experiment: Experiment, space: Space, task: Task, patience: int = 3_000) -> TrialRecord:
    """Return a network of median MACs among those that random proposals lead to. Raises RunError when there is none."""
    random = experiment.model_copy(update={"sampler": "random"})
    proposer = Proposer(random, space, task, patience=patience)
    found = sorted((proposal for _ in range(DRAWS) if (proposal := proposer.ask())), key=lambda each: each.cost.macs)
    if not found:
        raise RunError("no network inside the budget was found to time")
    middle = found[(len(found) - 1) // 2]
    return TrialRecord.of(middle.graph, experiment.seed, 0, choices=middle.choices)


def _timed(experiment: Experiment, record: TrialRecord) -> float:
    """Return the seconds of the second epoch, without one-time costs; of the first where that is long."""
    recipe = replace(experiment.recipe, epochs=min(2, experiment.recipe.epochs))
    short = experiment.model_copy(update={"recipe": recipe, "memory_gb": None})
    with TemporaryDirectory() as folder:
        ends = [0.0]
        for event in train_job(Job.for_trial(short, record, Path(folder) / "weights.safetensors")):
            if isinstance(event, Progress):
                ends.append(event.score.seconds)
                if ends[-1] > LONG:
                    break
            elif event.reason:
                raise RunError(f"the network timed ended with {event.reason}: {event.detail or 'no detail'}")
    return ends[-1] - ends[-2]
