"""Messages to a worker and back, as JSON: a job, its progress, its outcome. Nothing is pickled."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nas.genome.genome_json import to_json
from nas.search.experiment import Experiment
from nas.search.trial import Reason, TrialRecord
from nas.training.data import READERS, Source
from nas.training.recipe import Recipe
from nas.training.score import Score


@dataclass(frozen=True)
class Job:
    """One network to train.

    number: by which progress and outcome refer to it. genome: JSON. weights: the file they are written to. timeout:
    seconds, or None. memory_gb: host memory the worker may take, or None. gpu: index of its graphics card.
    """

    number: int
    genome: str
    data: Source
    recipe: Recipe
    seed: int
    weights: str
    device: str = "cpu"
    timeout: float | None = None
    memory_gb: float | None = None
    gpu: int = 0

    @classmethod
    def for_trial(cls, experiment: Experiment, record: TrialRecord, weights: Path) -> "Job":
        """Return the job of a trial as the experiment trains it.

        Raises ExperimentError where the data is read by code that is not trusted here: a worker trusts it.
        """
        READERS.check_trusted(experiment.data)
        return cls(
            number=record.number,
            genome=to_json(record.graph),
            data=experiment.source,
            recipe=experiment.recipe,
            seed=record.seed,
            weights=str(weights),
            device=experiment.device,
            timeout=experiment.timeout,
            memory_gb=experiment.memory_gb,
        )

    def to_json(self) -> str:
        """Return the job as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Job":
        """Return the job of a JSON text of ours."""
        fields = json.loads(text)
        size = fields["data"]["image_size"]
        data = Source(**fields["data"] | {"image_size": tuple(size) if isinstance(size, list) else size})
        return cls(**fields | {"data": data, "recipe": Recipe(**fields["recipe"])})


@dataclass(frozen=True)
class Progress:
    """One epoch of a job."""

    number: int
    score: Score


@dataclass(frozen=True)
class Outcome:
    """How a job ended; with Reason.NONE its weights lie where the job says."""

    number: int
    reason: Reason = Reason.NONE
    detail: str = ""


Event = Progress | Outcome


def event_to_json(event: Event) -> str:
    """Return an event as JSON."""
    return json.dumps(asdict(event))


def event_from_json(text: str | bytes) -> Event:
    """Return the event of a JSON text of ours."""
    data = json.loads(text)
    if "score" in data:
        return Progress(data["number"], Score(**data["score"]))
    return Outcome(data["number"], Reason(data["reason"]), data["detail"])
