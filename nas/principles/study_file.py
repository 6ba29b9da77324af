"""A study of principles as one TOML file: settings of an experiment, and a table [principles]."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from nas.errors import ExperimentError
from nas.files import atomic_write, line_of
from nas.principles.claims import select_principles
from nas.principles.claims.principle import Principle
from nas.principles.claims.scale import Scale
from nas.search.experiment import MATCHED, Experiment
from nas.search.experiment_file import read_toml, set_options, validate_experiment, write_toml
from nas.training.data import task

FILE = "principles.toml"
SEARCH_KEYS = {
    "space", "objectives", "trials", "budget", "halving", "fit", "sampler", "baselines", "storage", "tracker",
}  # fmt: skip
"""The settings of a search, which a study of principles does not have."""
FIRST_PRINCIPLES = (
    "a00", "h01", "h02", "h03", "h04", "h05", "h06", "h07", "h08", "h09", "h10", "h12", "h13", "h14", "h15", "h16",
    "h17", "h18", "h20", "h23", "h25", "h27",
)  # fmt: skip
"""The principles of runs whose file names none: all that there were when such runs began."""
FORMER_KEYS = {"looks": "interim_seeds", "futile": "min_power", "sd": "error_sd"}
Width = Annotated[int, Field(ge=8, le=4096)]
Depth = Annotated[int, Field(ge=8, le=1202)]
Positive = Annotated[float, Field(gt=0, le=100)]
Share = Annotated[float, Field(gt=0, lt=1)]
Seeds = Annotated[int, Field(ge=2, le=1000)]


@pydantic_dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Design:
    """The scale and the statistics of a study, fixed before a network is trained.

    side, width, shallow, deep: of the Scale. interim_seeds: numbers of seeds at which the claims are analyzed; a claim
    that is decided gets no more seeds. points: how many points here one point of the claims' margins and effects is
    worth; above 1 where errors are far above the papers'. error_sd, loss_sd: standard deviation of one training over
    seeds, in points and in nats, from a pilot. alpha: of the whole study. min_power: a claim of less planned power
    gets the first interim analysis only. population: networks drawn from each space. keys: of the principles, which are
    judged together; a file that names none means all that are known when a run begins.
    """

    side: Annotated[int, Field(ge=8, le=1024)] = 32
    width: Width = 32
    shallow: Depth = 20
    deep: Depth = 56
    interim_seeds: Annotated[tuple[Seeds, ...], Field(min_length=1, max_length=5)] = (5, 10)
    points: Positive = 1.0
    error_sd: Positive = 0.35
    loss_sd: Positive = 0.02
    alpha: Share = 0.05
    min_power: Annotated[float, Field(ge=0, lt=1)] = 0.02
    population: Annotated[int, Field(ge=0, le=1000)] = 10
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("shallow", "deep"):
            if getattr(self, name) % 6 != 2:
                raise ValueError(f"`{name}` (={getattr(self, name)}) must be 6 n + 2, such as 8, 14, 20 or 56")
        if list(self.interim_seeds) != sorted(set(self.interim_seeds)):
            raise ValueError(f"`interim_seeds` (={self.interim_seeds}) must be increasing")


@dataclass(frozen=True)
class PrincipleStudy:
    """Which principles are tried, at what scale, how their networks are trained and how they are judged."""

    experiment: Experiment
    design: Design

    @property
    def scale(self) -> Scale:
        """Return the scale at which the arms are built."""
        design = self.design
        return Scale(task(self.experiment.source), design.side, design.width, design.shallow, design.deep)

    @property
    def principles(self) -> list[Principle]:
        """Return the study's principles, by key. Raises ExperimentError for an unknown key."""
        return select_principles(self.design.keys)


def read_study(path: Path, changes: dict[str, Any] | None = None, principles: tuple[str, ...] = ()) -> PrincipleStudy:
    """Return the study in a TOML file after `changes` ("recipe.epochs", "principles.interim_seeds").

    principles: keys where the file names none; all that are known by default. Raises ExperimentError with file, line
    and remedy.
    """
    changes = {_current_key(key): value for key, value in (changes or {}).items()}
    data, text = read_toml(path, changes)
    design = _design(data.pop("principles", {}), path, text)
    design = replace(design, keys=tuple(each.key for each in select_principles(design.keys or principles)))
    if stray := [key for key in SEARCH_KEYS if key in data]:
        raise ExperimentError(f"{path}: {stray[0]!r} is a setting of a search, not of a study of principles; remove it")
    fixed = {"space": MATCHED, "objectives": ["error"], "trials": 100_000}
    return PrincipleStudy(validate_experiment(data | fixed, str(path), text, set_options(changes)), design)


def _current_key(key: str) -> str:
    table, _, name = key.rpartition(".")
    return f"{table}.{FORMER_KEYS.get(name, name)}" if table == "principles" else key


def _design(data: Any, path: Path, text: str) -> Design:
    former = {new: old for old, new in FORMER_KEYS.items() if isinstance(data, dict) and old in data}
    for new, old in former.items():
        data.setdefault(new, data.pop(old))
    try:
        design = TypeAdapter(Design).validate_json(json.dumps(data, default=str))
    except ValidationError as problems:
        first = problems.errors()[0]
        keys = ["principles", *(former.get(str(part), str(part)) for part in first["loc"])]
        where = f"{path}, line {line}" if (line := line_of(text, keys)) else str(path)
        known = ", ".join(asdict(Design()))
        raise ExperimentError(f"{where}: `{'.'.join(keys)}`: {first['msg']}; known: {known}") from None
    return design


def study_to_toml(study: PrincipleStudy, header: str = "") -> str:
    """Return the effective study as TOML, every setting written out; `read_study` reads it back."""
    kept = {key: value for key, value in study.experiment.as_dict().items() if key not in SEARCH_KEYS}
    return write_toml(kept | {"principles": asdict(study.design)}, header)


def save_study(study: PrincipleStudy, path: Path, header: str) -> None:
    """Write the study into its run directory. Raises OSError."""
    atomic_write(path / FILE, study_to_toml(study, header))


def load_study(path: Path, changes: dict[str, Any] | None = None) -> PrincipleStudy:
    """Return the study of a run directory after `changes`. Raises ExperimentError when the directory has none.

    Its claims are those that it began with, so that principles added since do not change the correction over claims.
    """
    if not (path / FILE).is_file():
        raise ExperimentError(f"{path} has no study of principles; start one with: nas principles EXPERIMENT")
    return read_study(path / FILE, changes, FIRST_PRINCIPLES)
