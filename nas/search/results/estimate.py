"""What a run would take of time and disk, from one of its networks trained for an epoch or two."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nas.errors import RunError
from nas.genome.cost import Cost
from nas.genome.genome_json import to_json
from nas.genome.task import Task
from nas.genome.trial import Space
from nas.search.experiment import Experiment
from nas.search.loop.search import job
from nas.search.propose.proposer import Proposer
from nas.search.trial import TrialRecord
from nas.search.workers.worker import train_job

DRAWS = 21  # networks from which the one of median MACs is taken
LONG = 5.0  # seconds; where the first epoch takes longer it is timed alone, else the second is
STUDY, EPOCH = 6_000, 300  # bytes of the study that a trial takes beside its genome, and that each epoch adds


@dataclass(frozen=True)
class RunEstimate:
    """Of a whole run, were no trial stopped early and every worker's core its own.

    network: what was trained, of median MACs among those inside the budget. epoch: its seconds. seconds: of the run.
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
    study = trials * (STUDY + len(to_json(record.graph)) + EPOCH * epochs)
    return RunEstimate(record.cost, epoch, turns * epochs * epoch, study, trials * 4 * record.cost.params)


def typical(experiment: Experiment, space: Space, task: Task) -> TrialRecord:
    """A network of median MACs among those that random proposals lead to."""
    question = experiment.model_copy(update={"sampler": "random"})
    proposer = Proposer(question, space, task, [], (), Counter())
    found = sorted((proposal for _ in range(DRAWS) if (proposal := proposer.ask())), key=lambda each: each.cost.macs)
    if not found:
        raise RunError("no network inside the budget was found to time")
    middle = found[(len(found) - 1) // 2]
    return TrialRecord(0, middle.choices, middle.graph, middle.fingerprint, middle.cost, experiment.seed)


def _timed(experiment: Experiment, record: TrialRecord) -> float:
    """Seconds of the second epoch, without what only the first needs; of the first where that is long."""
    recipe = replace(experiment.recipe, epochs=min(2, experiment.recipe.epochs))
    with TemporaryDirectory() as place:
        asked: dict[str, Any] = job(experiment, recipe, record, 0, record.seed, Path(place) / "weights.safetensors")
        ends = [0.0]
        for event in train_job(asked | {"memory_gb": None}):
            if event["kind"] == "score":
                ends.append(event["score"]["seconds"])
                if ends[-1] > LONG:
                    break
            elif event["reason"]:
                raise RunError(f"the network timed ended with {event['reason']}: {event['detail'] or 'no detail'}")
    return ends[-1] - ends[-2]
