"""One question as one TOML file, read strictly."""

import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import field_validator as field_check

from nas.errors import ExperimentError, NasError, near
from nas.genome.cost import Budget
from nas.resources import names, resource
from nas.training.data import Source
from nas.training.data.registry import is_own
from nas.training.recipe import Recipe, recipe_settings

Objective = Literal["error", "params", "macs", "activations", "peak_bytes", "depth"]
Sampler = Literal["random", "tpe", "nsga2", "gp", "evolution", "evolution-graphs", "local", "frontier"]
MATCHED = "principles"  # in place of a space: the networks are matched pairs, each given
MAX_BYTES = 100_000
STRIDE = 1_000_003  # between the seeds of studies


class Experiment(BaseModel):
    """What is searched, for what, within what, and how. Every objective is minimised."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    space: str
    data: str
    data_dir: Annotated[str, Field(min_length=1)] | None = None  # where its files lie; the fields of a Source
    image_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    train_images: Annotated[int, Field(ge=1)] | None = None
    validation: Annotated[float, Field(gt=0, lt=1)] | None = None
    budget: Budget = Budget()
    halving: Annotated[int, Field(ge=2, le=10)] | None = None  # keep the best 1 / halving of trials at every rung
    fit: bool = False  # move a network that is outside to one inside, rather than refuse it
    recipe: Recipe = Recipe()
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=3)] = ("error", "macs")
    sampler: Sampler = "tpe"
    trials: Annotated[int, Field(ge=1, le=100_000)] = 40
    baselines: tuple[str, ...] = ()  # known networks to train beside the search, under its recipe
    workers: Annotated[int, Field(ge=1, le=256)] = 2
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    device: Literal["cpu", "cuda"] = "cpu"
    timeout: Annotated[float, Field(gt=0)] = 3600.0  # seconds a trial may take; longer is a failure, not the run's end
    memory_gb: Annotated[float, Field(gt=0)] | None = None  # of host memory a worker may take
    executor: Literal["local", "ray"] = "local"
    cpus_per_trial: Annotated[float, Field(gt=0, le=256)] = 1.0  # what Ray sets aside for a worker
    gpus_per_trial: Annotated[float, Field(gt=0, le=1)] = 1.0  # with device "cuda": the share of a card a worker takes
    storage: str | None = None  # a PostgreSQL study that several drivers share; else a file in the run directory
    tracker: Literal["tensorboard"] | None = None

    @field_check("objectives")
    @classmethod
    def _error_first(cls, value: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if value[0] != "error" or len(set(value)) < len(value):
            raise ValueError("must begin with error and name each objective once")
        return value

    @field_check("storage")
    @classmethod
    def _no_secret(cls, value: str | None) -> str | None:
        if value is None:
            return value
        try:
            parts = urlsplit(value)
            secret = parts.password is not None or "password" in parts.query
        except ValueError:
            raise ValueError("is no URL; write postgresql://user@host/database") from None
        if parts.scheme != "postgresql" or not parts.path.strip("/") or len(value) > 500:
            raise ValueError("must be postgresql://user@host/database")
        if secret:
            raise ValueError("has a password, and a run directory is shown to others; write it into ~/.pgpass")
        return value

    @property
    def source(self) -> Source:
        """The images, as the trainer asks for them."""
        return Source(self.data, self.data_dir, self.image_size, self.train_images, self.validation)

    @property
    def images(self) -> str:
        """What a person calls the set: a published one's name, or that of the folder where one's own files lie."""
        own = is_own(self.data) and self.source.data_dir.absolute().name
        return own or self.data

    def trial_seed(self, place: int) -> int:
        """The seed of the training at a place of the study, far from those of studies of another seed."""
        return self.seed * STRIDE + place

    def as_dict(self) -> dict[str, Any]:
        """Plain data, every setting written out."""
        data: dict[str, Any] = TypeAdapter(Experiment).dump_python(self, mode="json")
        return data | {"budget": self.budget.as_dict()}


def find_experiment(what: str) -> Path:
    """The file of an experiment: a path, or the name of one that comes with the toolkit."""
    path = Path(what)
    if path.is_file():
        return path
    if path.suffix != ".toml" and what in names("experiments", ".toml"):
        return resource("experiments", f"{what}.toml")
    known = names("experiments", ".toml")
    listed = ", ".join(known)
    raise ExperimentError(f"no experiment {what!r}: it is neither a file nor one of {listed}{near(what, known)}")


def read_experiment(path: Path, changes: dict[str, Any] | None = None) -> Experiment:
    """The experiment in a TOML file, with `changes` ("budget.params.max": 50000) laid over it.

    Raises ExperimentError with file, line and remedy.
    """
    data, text = read_toml(path, changes)
    return validate_experiment(data, str(path), text, set(changes or {}))


def read_toml(path: Path, changes: dict[str, Any] | None = None) -> tuple[dict[str, Any], str]:
    """A TOML file as plain data with `changes` laid over it, and its text. Raises ExperimentError."""
    if path.stat().st_size > MAX_BYTES:
        raise ExperimentError(f"{path}: larger than {MAX_BYTES:,} bytes; this is no experiment file")
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ExperimentError(f"{path}: not TOML: {problem}") from None
    except RecursionError:
        raise ExperimentError(f"{path}: nested too deeply") from None
    data.setdefault("name", path.stem)
    _name_recipe(data)
    for key, value in sorted((changes or {}).items()):  # a recipe's name before its parts
        _set(data, key, value)
        _name_recipe(data)
    return data, text


def validate_experiment(
    data: dict[str, Any], origin: str, text: str = "", changed: set[str] | None = None
) -> Experiment:
    """Plain data as an Experiment. Raises ExperimentError naming the first wrong key and its line."""
    if isinstance(data.get("recipe"), dict):
        data = data | {"recipe": _recipe(data["recipe"], _place(["recipe", "like"], origin, text, changed))}
    try:
        # JSON, because pydantic's strict mode then still builds dataclasses and tuples, and nothing else.
        return Experiment.model_validate_json(json.dumps(data, default=str))
    except ValidationError as problems:
        first = min(problems.errors(), key=lambda problem: problem["type"] == "missing")  # a key misspelt explains one
        path = [str(part) for part in first["loc"]]
        raise ExperimentError(f"{_place(path, origin, text, changed)}: {_explain('.'.join(path), first)}") from None
    except NasError as problem:
        raise ExperimentError(f"{origin}: {problem}") from None


def _place(path: list[str], origin: str, text: str, changed: set[str] | None) -> str:
    line = line_of(text, path)
    above = [".".join(path[:length]) for length in range(len(path), 0, -1)]
    set_by = next((name for name in above if name in (changed or ())), None)
    return f"--set {set_by}" if set_by else f"{origin}, line {line}" if line else origin


def _name_recipe(data: dict[str, Any]) -> None:
    """A recipe's name alone is a table that begins with it."""
    if isinstance(data.get("recipe"), str):
        data["recipe"] = {"like": data["recipe"]}


def _recipe(table: dict[str, Any], place: str) -> dict[str, Any]:
    try:
        return recipe_settings(table)
    except ExperimentError as problem:
        raise ExperimentError(f"{place}: {problem}") from None


def _explain(key: str, problem: Any) -> str:
    kind = problem["type"]
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        *above, last = key.split(".")
        return f"unknown key {last!r}{f' in [{chr(46).join(above)}]' if above else ''}; known: {_known(above)}"
    if kind == "missing":
        return f"the key {key!r} is missing"
    found = "" if kind == "value_error" else f", found {str(problem['input'])[:60]!r}"
    return f"`{key}`: {problem['msg'].removeprefix('Value error, ')}{found}"


def _known(above: list[str]) -> str:
    from dataclasses import fields

    from nas.genome.cost import Range

    if not above:
        return ", ".join(Experiment.model_fields)
    tables = {"budget": Budget, "recipe": Recipe}
    kind = Range if len(above) > 1 else tables.get(above[0], Range)
    extra = ["like"] if kind is Recipe else []
    return ", ".join(extra + [spec.name for spec in fields(kind)])


def line_of(text: str, path: list[str]) -> int | None:
    """The line of a TOML document on which a key (or the nearest table above it) stands."""
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]+)\]+", line):
            table = [part.strip().strip("\"'") for part in header[1].split(".")]
            here = table
        elif assignment := re.match(r"\s*([\w.\-\"' ]+?)\s*=", line):
            here = table + [part.strip().strip("\"'") for part in assignment[1].split(".")]
        else:
            continue
        if here == path[: len(here)] and (best is None or len(here) > best[0]):
            best = len(here), number
    return best and best[1]


def _set(data: dict[str, Any], key: str, value: Any) -> None:
    *tables, last = key.split(".")
    for table in tables:
        inner = data.setdefault(table, {})
        if not isinstance(inner, dict):
            raise ExperimentError(f"--set {key}: {table!r} is a value, not a table")
        data = inner
    data[last] = value


def to_toml(experiment: Experiment, header: str = "") -> str:
    """The effective experiment as TOML, every setting written out."""
    data = experiment.as_dict()
    lines = [f"# {line}" for line in header.splitlines()]
    plain = {key: value for key, value in data.items() if not isinstance(value, dict) and value is not None}
    lines += [f"{key} = {_toml(value)}" for key, value in plain.items()]
    for key in ("budget", "recipe"):
        lines += ["", f"[{key}]", *(f"{name} = {_toml(value)}" for name, value in data[key].items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return json.dumps(value)
