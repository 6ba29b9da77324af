"""Messages to a worker and back, as JSON: a job, its progress, its outcome. Nothing is pickled."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nas.errors import ExperimentError
from nas.genome.genome_json import to_json
from nas.genome.graph import Graph, own_blocks
from nas.search.experiment import Experiment
from nas.search.space import space_sources
from nas.search.trial import Reason, TrialRecord
from nas.training.data import READERS, Source
from nas.training.recipe import Recipe
from nas.training.score import Score
from nas.training.trainer import TRAINERS
from nas.user_code import Sources, is_outside, source_file, sources


@dataclass(frozen=True)
class Teacher:
    """A trained network that another learns from. genome: JSON. weights: the file that holds them."""

    genome: str
    weights: str


@dataclass(frozen=True)
class Job:
    """One network to train.

    number: by which progress and outcome refer to it. genome: JSON. weights: the file they are written to. trainer,
    metric: names. timeout: seconds, or None. memory_gb: host memory the worker may take, or None. gpu: index of its
    graphics card. rungs: epochs after which the worker waits for the driver's word, to stop or to proceed. code: files
    of the user's own that define its trainer and its building blocks, by the name they are loaded by. teacher: whose
    answers are learned, too.
    """

    number: int
    genome: str
    data: Source
    recipe: Recipe
    seed: int
    weights: str
    trainer: str = "standard"
    metric: str = "error"
    device: str = "cpu"
    timeout: float | None = None
    memory_gb: float | None = None
    gpu: int = 0
    rungs: tuple[int, ...] = ()
    code: dict[str, Sources] = field(default_factory=dict)
    teacher: Teacher | None = None

    @classmethod
    def for_trial(cls, experiment: Experiment, record: TrialRecord, weights: Path) -> "Job":
        """Return the job of a trial as the experiment trains it.

        Raises ExperimentError where the data is read, or the network trained, by code that is not trusted here, since a
        worker trusts it, and where a worker could not import a building block; RunError where a block's code is not
        loaded here.
        """
        READERS.check_trusted(experiment.data)
        TRAINERS.check_trusted(experiment.trainer)
        record.check_blocks()
        graph = record.graph
        return cls(
            number=record.number,
            genome=to_json(graph),
            data=experiment.source,
            recipe=Recipe(**asdict(experiment.recipe) | dict(record.recipe)),
            seed=record.seed,
            weights=str(weights),
            trainer=experiment.trainer,
            metric=experiment.metric,
            device=experiment.device,
            timeout=experiment.timeout,
            memory_gb=experiment.memory_gb,
            code=block_code(graph, experiment.space) | trainer_code(experiment.trainer),
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
        recipe, rungs = Recipe(**fields["recipe"]), tuple(fields["rungs"])
        teacher = Teacher(**fields["teacher"]) if fields["teacher"] else None
        return cls(**fields | {"data": data, "recipe": recipe, "rungs": rungs, "teacher": teacher})

    def waits_after(self, score: Score) -> bool:
        """Return whether the worker waits for a word after an epoch; training that diverged ends without one."""
        return score.epoch in self.rungs and not score.diverged


def trainer_code(name: str) -> dict[str, Sources]:
    """Return the code that a worker needs to train with a user's own file, by the name it is loaded by."""
    file = source_file(name) if is_outside(name) else None
    return {name: sources(file)} if file and file.is_file() and name.rpartition(":")[0].endswith(".py") else {}


def block_code(graph: Graph, space: str) -> dict[str, Sources]:
    """Return the code that a worker needs to read a network's own building blocks, by the name it is loaded by.

    Raises ExperimentError for a block that no other process can import.
    """
    own = own_blocks(graph)
    if not own:
        return {}
    for block in own:
        if source_file(f"{block.__module__}:{block.__name__}") is None:
            raise ExperimentError(
                f"{block.__name__} is defined in a notebook or an interactive session, where worker processes cannot "
                "import it; write it into a file and import it from there"
            )
    names = {f"{block.__module__}:{block.__name__}" for block in own} if not is_outside(space) else {space}
    return {name: space_sources(name) for name in names}


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
        confusion = tuple(map(tuple, data["score"]["confusion"]))
        return Progress(data["number"], Score(**data["score"] | {"confusion": confusion}))
    return Outcome(data["number"], Reason(data["reason"]), data["detail"])
