"""The study of a family of principles as one TOML file: a search's own settings, and a table [principles]."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from nas.errors import ExperimentError
from nas.files import atomic_write
from nas.principles.claims import chosen
from nas.principles.claims.principle import Principle
from nas.principles.claims.scale import Scale
from nas.search.experiment import MATCHED, Experiment
from nas.search.experiment_file import line_of, read_toml, to_toml, validate_experiment
from nas.training.data import task

FILE = "principles.toml"
SEARCHED = {
    "space", "objectives", "trials", "budget", "halving", "fit", "sampler", "baselines", "storage", "tracker",
}  # fmt: skip
"""The settings of a search that mean nothing here."""
Width = Annotated[int, Field(ge=8, le=4096)]
Depth = Annotated[int, Field(ge=8, le=1202)]
Positive = Annotated[float, Field(gt=0, le=100)]
Share = Annotated[float, Field(gt=0, lt=1)]
Few = Annotated[int, Field(ge=0, le=1000)]


@checked(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Design:
    """The scale and the statistics of the study, all fixed before a network is trained.

    side, width, shallow, deep: of the canvas. looks: seeds at which the claims are judged; what is decided at a look
    needs no more. points: what a point of the pages' margins and effects is worth here; above 1 where errors are far
    above the papers'. sd, loss_sd: of one training under another seed, in points and in nats, from a pilot. alpha: of
    the whole family. futile: planned power below which a claim is given the first look only. population: networks drawn
    from each space. keys: the principles tried; none stands for all.
    """

    side: Annotated[int, Field(ge=8, le=1024)] = 32
    width: Width = 32
    shallow: Depth = 20
    deep: Depth = 56
    looks: Annotated[tuple[Annotated[int, Field(ge=2, le=1000)], ...], Field(min_length=1, max_length=5)] = (5, 10)
    points: Positive = 1.0
    sd: Positive = 0.35
    loss_sd: Positive = 0.02
    alpha: Share = 0.05
    futile: Annotated[float, Field(ge=0, lt=1)] = 0.02
    population: Few = 10
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("shallow", "deep"):
            if getattr(self, name) % 6 != 2:
                raise ValueError(f"`{name}` (={getattr(self, name)}) must be 6 n + 2, such as 8, 14, 20 or 56")
        if list(self.looks) != sorted(set(self.looks)):
            raise ValueError(f"`looks` (={self.looks}) must rise")


@dataclass(frozen=True)
class PrincipleStudy:
    """The principles to be tried, on what canvas, how the networks are trained and how they are judged."""

    experiment: Experiment
    design: Design

    @property
    def canvas(self) -> Scale:
        """What the arms are drawn on."""
        design = self.design
        return Scale(task(self.experiment.source), design.side, design.width, design.shallow, design.deep)

    @property
    def principles(self) -> list[Principle]:
        """Those asked for, by key. Raises ExperimentError for a key that there is not."""
        return chosen(self.design.keys)


def read_study(path: Path, changes: dict[str, Any] | None = None) -> PrincipleStudy:
    """The study in a TOML file, with `changes` ("recipe.epochs", "principles.looks") laid over it.

    Raises ExperimentError with file, line and remedy.
    """
    data, text = read_toml(path, changes)
    design = _design(data.pop("principles", {}), path, text)
    if stray := [key for key in SEARCHED if key in data]:
        raise ExperimentError(f"{path}: {stray[0]!r} has no place in a study of principles; remove it")
    fixed = {"space": MATCHED, "objectives": ["error"], "trials": 100_000}
    return PrincipleStudy(validate_experiment(data | fixed, str(path), text, set(changes or {})), design)


def _design(data: Any, path: Path, text: str) -> Design:
    try:
        design = TypeAdapter(Design).validate_json(json.dumps(data, default=str))
    except ValidationError as problems:
        first = problems.errors()[0]
        where = ["principles", *[str(part) for part in first["loc"]]]
        place = f"{path}, line {line}" if (line := line_of(text, where)) else str(path)
        known = ", ".join(asdict(Design()))
        raise ExperimentError(f"{place}: `{'.'.join(where)}`: {first['msg']}; known: {known}") from None
    chosen(design.keys)
    return design


def study_to_toml(family: PrincipleStudy, header: str = "") -> str:
    """The effective study, every setting written out; `read` gives it back."""
    plain = to_toml(family.experiment, header).splitlines()
    kept = [line for line in plain if line.partition(" = ")[0].strip("[]") not in SEARCHED]
    rows = [f"{name} = {json.dumps(value)}" for name, value in asdict(family.design).items()]
    return "\n".join([*kept, "", "[principles]", *rows]) + "\n"


def save(family: PrincipleStudy, path: Path, header: str) -> None:
    """Write the study into its run directory."""
    atomic_write(path / FILE, study_to_toml(family, header))


def saved(path: Path) -> PrincipleStudy:
    """The study of a run directory. Raises ExperimentError when it holds none."""
    if not (path / FILE).is_file():
        raise ExperimentError(f"{path} holds no study of principles; begin one with: nas principles EXPERIMENT")
    return read_study(path / FILE)
