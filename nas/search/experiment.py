"""The settings of a search, checked strictly."""

from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic import field_validator as field_check

from nas.device.boards import Board
from nas.device.latency.latency_model import LatencyModel
from nas.device.latency.settings import LatencySettings
from nas.errors import ExperimentError
from nas.genome.graph import Graph
from nas.registry import Registry
from nas.search.durations import Duration
from nas.search.finalist_settings import Finalists
from nas.search.objectives import LATENCY, OBJECTIVES, Budget, Network, Objective
from nas.search.registries import EXECUTORS, SAMPLERS, TRACKERS
from nas.training.data import Source
from nas.training.data.locate import FILES
from nas.training.data.registry import is_own
from nas.training.metrics import METRICS
from nas.training.recipe import Recipe
from nas.training.trainer import TRAINERS
from nas.user_code import give_importable, is_outside

MATCHED = "principles"  # in place of a space: the networks are matched pairs, each given
Side = Annotated[int, Field(ge=1, le=4096)]  # pixels
CODE_SETTINGS = ("space", "sampler", "executor", "data", "trainer")  # may name code of the user's own
STRIDE = 1_000_003  # between the seeds of studies


def _named(registry: Registry[Any]) -> BeforeValidator:
    """Return a validator of a name in a registry, or `module:Name` of a user's own, which is not imported here.

    A class or function that workers can import is taken for its name.
    """

    def check(value: Any) -> Any:
        try:
            name = give_importable(value) if callable(value) else value
            return registry.check(name) if isinstance(name, str) else name
        except ExperimentError as problem:
            raise ValueError(str(problem)) from None

    return BeforeValidator(check)


def _as_several(value: Any) -> Any:
    """Return one run, or one table of choices, as one of several."""
    given = [value] if isinstance(value, str | dict) else value
    if not isinstance(given, list | tuple) or not all(isinstance(each, str | dict) for each in given):
        raise ValueError('must be a run such as "runs/old", a table of choices, or a list of these')
    runs = [each for each in given if isinstance(each, str)]
    if len(set(runs)) < len(runs):
        raise ValueError("names a run twice")
    return tuple(given)


def _predicted(model: LatencyModel) -> Objective:
    return replace(OBJECTIVES[LATENCY], of=lambda network: model.predict(network.graph))


def _limited(budget: Budget, model: LatencyModel) -> Budget:
    """Return the budget with latency limited at what 9 of 10 networks keep, not at the prediction."""

    def upper(network: Network) -> float:
        return model.upper_estimate(model.predict(network.graph))

    return budget.with_entries(replace(OBJECTIVES[LATENCY], of=upper))


class Experiment(BaseModel):
    """The settings of a search. Every objective is minimized."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    space: str
    data: str
    data_dir: Annotated[str, Field(min_length=1)] | None = None  # where its files lie; the fields of a Source
    image_size: Side | tuple[Side, Side] | None = None  # a side, or height and width
    train_images: Annotated[int, Field(ge=1)] | None = None
    validation: Annotated[float, Field(gt=0, lt=1)] | None = None
    budget: Budget = Budget()
    target: Board | None = None  # whose RAM and flash limit the budget, and whose provider tells latency
    latency: LatencySettings | None = None  # how latency is measured, for the objective `latency_ms`
    halving: Annotated[int, Field(ge=2, le=10)] | None = None  # keep the best 1 / halving of trials at every rung
    fit: bool = False  # move a network that is outside to one inside, rather than refuse it
    recipe: Recipe = Recipe()
    trainer: Annotated[str, _named(TRAINERS)] = "standard"  # what trains a network: nas.training.trainer
    metric: Annotated[str, _named(METRICS)] = "error"  # on validation; what the objective `error` is
    objectives: Annotated[tuple[Annotated[str, _named(OBJECTIVES)], ...], Field(min_length=1, max_length=4)] = (
        "error",
        "macs",
    )
    sampler: Annotated[str, _named(SAMPLERS)] = "tpe"
    start: Annotated[tuple[str | dict[str, JsonValue], ...], BeforeValidator(_as_several)] = ()  # runs, and choices
    trials: Annotated[int, Field(ge=1, le=100_000)] = 40
    finalists: Finalists = None  # networks to train again after the search, from several seeds
    baselines: tuple[str, ...] = ()  # known networks to train beside the search, under its recipe
    workers: Annotated[int, Field(ge=1, le=256)] = 2
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    device: Literal["cpu", "cuda", "mps", "auto"] = "cpu"
    time_limit: Duration | None = None  # of the whole search over all resumes; trials that run then are finished
    timeout: Duration = 3600.0  # seconds a trial may take; longer is a failure, not the run's end
    memory_gb: Annotated[float, Field(gt=0)] | None = None  # of host memory a worker may take
    executor: Annotated[str, _named(EXECUTORS)] = "local"
    cpus_per_trial: Annotated[float, Field(gt=0, le=256)] = 1.0  # what Ray sets aside for a worker
    gpus_per_trial: Annotated[float, Field(gt=0, le=1)] = 1.0  # with device "cuda": the share of a card a worker takes
    storage: str | None = None  # a PostgreSQL study that several drivers share; else a file in the run directory
    tracker: Annotated[str, _named(TRACKERS)] | None = None  # where the curves of its trials are shown

    @field_check("objectives")
    @classmethod
    def _error_first(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value[0] != "error" or len(set(value)) < len(value):
            raise ValueError("must begin with error and name each objective once")
        return value

    @model_validator(mode="after")
    def _limit_by_the_model(self) -> Self:
        if self.latency_model:
            self.__dict__["budget"] = _limited(self.budget, self.latency_model)
        return self

    @model_validator(mode="after")
    def _ask_for_values(self) -> Self:
        """Ask in the budget for a value of each objective: a network without one has no place on the front."""
        self.__dict__["budget"] = self.budget.asking_for(self.objectives)
        return self

    @model_validator(mode="after")
    def _has_baselines(self) -> Self:
        if self.finalists and self.finalists.baselines and not self.baselines:
            raise ValueError("finalists.baselines trains baselines again, and none are named; add baselines = [...]")
        return self

    @field_check("storage")
    @classmethod
    def _no_secret(cls, value: str | None) -> str | None:
        if value is None:
            return value
        try:
            parts = urlsplit(value)
            secret = parts.password is not None or "password" in parts.query
        except ValueError:
            raise ValueError("is not a URL; write postgresql://user@host/database") from None
        if parts.scheme != "postgresql" or not parts.path.strip("/") or len(value) > 500:
            raise ValueError("must be postgresql://user@host/database")
        if secret:
            raise ValueError("has a password, and a run directory is shown to others; write it into ~/.pgpass")
        return value

    @property
    def is_search(self) -> bool:
        """Return whether networks are of a space and compared by their errors; else it is a study of principles."""
        return self.space != MATCHED

    @property
    def objective_entries(self) -> tuple[Objective, ...]:
        """Return the objectives, in order; one that is modeled reads any network by the experiment's model."""
        model = self.latency_model
        return tuple([_predicted(model) if name == LATENCY and model else OBJECTIVES[name] for name in self.objectives])

    @property
    def uses_latency(self) -> bool:
        """Return whether latency is limited or minimized."""
        return LATENCY in self.budget or LATENCY in self.objectives

    @property
    def latency_model(self) -> LatencyModel | None:
        """Return the model of latency; None where none is learned yet."""
        return self.latency.model if self.latency else None

    def with_latency_model(self, model: LatencyModel) -> Self:
        """Return the experiment with a model of latency, which its budget and its objectives are read by."""
        latency = replace(self.latency or LatencySettings(), model=model)
        return self.model_copy(update={"latency": latency, "budget": _limited(self.budget, model)})

    def predictions(self, graph: Graph) -> dict[str, float]:
        """Return what is predicted of a network and recorded with its trial, by objective."""
        return {LATENCY: self.latency_model.predict(graph)} if self.uses_latency and self.latency_model else {}

    @property
    def start_choices(self) -> tuple[dict[str, Any], ...]:
        """Return the choices of `start` to train first; names that are missing are drawn."""
        return tuple([each for each in self.start if not isinstance(each, str)])

    @property
    def start_runs(self) -> tuple[str, ...]:
        """Return the earlier runs of `start`, as written: paths from the working directory."""
        return tuple([each for each in self.start if isinstance(each, str)])

    @property
    def error_title(self) -> str:
        """Return what the objective `error` is in a sentence: `validation balanced error`."""
        return f"validation {METRICS[self.metric].title}"

    @property
    def test_title(self) -> str:
        """Return the same of the test images: `test balanced error`."""
        return f"test {METRICS[self.metric].title}"

    @property
    def source(self) -> Source:
        """Return the images as a source for the trainer."""
        return Source(self.data, self.data_dir, self.image_size, self.train_images, self.validation)

    @property
    def images(self) -> str:
        """Return the name of the image set: a published name, or the folder of the user's own files."""
        place = self.source.data_dir.absolute()
        name = place.stem if place.suffix in FILES else place.name
        return (is_own(self.data) and name) or self.data

    @property
    def code_names(self) -> tuple[str, ...]:
        """Return the settings that name code of the user's own."""
        return tuple([name for key in CODE_SETTINGS if is_outside(name := getattr(self, key))])

    def trial_seed(self, place: int) -> int:
        """Return the training seed of a trial number, far from those of studies of another seed."""
        return self.seed * STRIDE + place

    def as_dict(self) -> dict[str, Any]:
        """Return plain data with every setting written out."""
        data: dict[str, Any] = self.model_dump(mode="json")
        return data
