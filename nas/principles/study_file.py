"""A study of principles as one TOML file: settings of an experiment, and a table [principles]."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from nas.errors import BudgetError, ExperimentError, GenomeError, NasError
from nas.files import atomic_write, line_of
from nas.genome.graph import Graph
from nas.principles.claims import select_principles
from nas.principles.claims.principle import Principle
from nas.principles.claims.setting import Setting
from nas.search.experiment import MATCHED, Experiment
from nas.search.experiment_file import read_toml, set_options, validate_located, write_toml
from nas.training.data import Source, task

FILE = "principles.toml"
SEARCH_KEYS = {
    "space", "objectives", "trials", "budget", "halving", "fit", "sampler", "baselines", "storage", "tracker",
}  # fmt: skip
"""The settings of a search, which a study of principles does not have."""
FORMER_KEYS = {
    "interim_seeds", "looks", "points", "min_power", "futile", "sd", "population",
}  # fmt: skip
"""Settings of a study of one pair of networks and several seeds, which was judged in another way."""
Positive = Annotated[float, Field(gt=0, le=100)]
Share = Annotated[float, Field(gt=0, lt=1)]
Choice = Annotated[tuple[int, ...], Field(min_length=1, max_length=100)]
Widths = tuple[Annotated[int, Field(ge=8, le=4096)], Annotated[int, Field(ge=8, le=4096)]]
Growths = tuple[Annotated[float, Field(ge=1, le=4)], Annotated[float, Field(ge=1, le=4)]]
ATTEMPTS = 100  # at a setting in which the arms of a claim can be matched


@pydantic_dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Design:
    """The settings and the statistics of a study, fixed before a network is trained.

    settings: how many, each with a division of the images of its own. images: the data sets that they take in turns;
    none means that of the study. side: pixels per side. width, growth: from where to where the widths of the first
    stage, and the growth of widths from stage to stage, are drawn. repeats, shallow, deep: what is drawn from, see
    `Setting`. worth, worth_loss: the smallest difference that is worth it, in percent of the error and in nats.
    error_sd, loss_sd: standard deviation of one arm over settings, in the same units, from a pilot. alpha: of the whole
    study. keys: of the principles, which are judged together; a file that names none means all that are known when a
    run begins.
    """

    settings: Annotated[int, Field(ge=2, le=1000)] = 12
    images: tuple[str, ...] = ()
    side: Annotated[int, Field(ge=8, le=1024)] = 32
    width: Widths = (24, 40)
    growth: Growths = (1.6, 2.2)
    repeats: Choice = (1, 2)
    shallow: Choice = (14, 20)
    deep: Choice = (44, 56)
    worth: Positive = 2.0
    worth_loss: Positive = 0.05
    error_sd: Positive = 3.5
    loss_sd: Positive = 0.05
    alpha: Share = 0.05
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("shallow", "deep"):
            if any(depth < 8 or depth % 6 != 2 for depth in getattr(self, name)):
                raise ValueError(f"`{name}` (={getattr(self, name)}) must be of 6 n + 2, such as 8, 14, 20 or 56")
        if min(self.repeats) < 1:
            raise ValueError(f"`repeats` (={self.repeats}) must be at least 1")
        for name in ("width", "growth"):
            if list(getattr(self, name)) != sorted(getattr(self, name)):
                raise ValueError(f"`{name}` (={getattr(self, name)}) must be (from, to)")


@dataclass(frozen=True)
class PrincipleStudy:
    """Which principles are tried, on what settings, how their networks are trained and how they are judged."""

    experiment: Experiment
    design: Design

    def source(self, index: int) -> Source:
        """Return the images of a setting, divided as in no other setting."""
        names, source = self.design.images, self.experiment.source
        name = names[index % len(names)] if names else source.name
        directory = source.directory if name == source.name else None
        return replace(source, name=name, directory=directory, division=self.seed(index))

    def seed(self, index: int) -> int:
        """Return the seed of a setting; all arms see one order of images under it."""
        return self.experiment.trial_seed(index)

    def setting(self, index: int, attempt: int = 0) -> Setting:
        """Return a setting. attempt: another draw of it, where the arms of a claim cannot be matched in an earlier one.

        Raises DataError where the images are missing.
        """
        design, rng = self.design, Random(f"{self.experiment.seed} {index} {attempt}")
        return Setting(
            task(self.source(index)),
            design.side,
            width=rng.randint(*design.width),
            growth=rng.uniform(*design.growth),
            repeats=rng.choice(design.repeats),
            shallow=rng.choice(design.shallow),
            deep=rng.choice(design.deep),
            index=index,
        )

    def matched_setting(self, principle: Principle, index: int) -> tuple[Setting, dict[str, Graph]]:
        """Return the first draw of a setting in which the arms of a principle are matched, and their networks.

        Raises GenomeError where they are in none of ATTEMPTS draws.
        """
        problem: NasError | None = None
        for attempt in range(ATTEMPTS):
            setting = self.setting(index, attempt)
            try:
                return setting, principle.graphs(setting)
            except (GenomeError, BudgetError) as failed:
                problem = failed
        raise GenomeError(f"no draw of setting {index} matches the arms, the last: {problem}")

    @property
    def principles(self) -> list[Principle]:
        """Return the study's principles, in its order. Raises ExperimentError for an unknown key."""
        return select_principles(self.design.keys)


def read_study(path: Path, changes: dict[str, Any] | None = None, principles: tuple[str, ...] = ()) -> PrincipleStudy:
    """Return the study in a TOML file after `changes` ("recipe.epochs", "principles.settings").

    principles: keys where the file names none; all that are known by default. Raises ExperimentError with file, line
    and remedy.
    """
    changes = changes or {}
    data, text = read_toml(path, changes)
    design = _design(data.pop("principles", {}), path, text)
    design = replace(design, keys=tuple(each.key for each in select_principles(design.keys or principles)))
    if stray := [key for key in SEARCH_KEYS if key in data]:
        raise ExperimentError(f"{path}: {stray[0]!r} is a setting of a search, not of a study of principles; remove it")
    fixed = {"space": MATCHED, "objectives": ["error"], "trials": 100_000}
    return PrincipleStudy(validate_located(data | fixed, path, text, set_options(changes)), design)


def _design(data: Any, path: Path, text: str) -> Design:
    if former := sorted(FORMER_KEYS & set(data if isinstance(data, dict) else ())):
        where = f"{path}, line {line}" if (line := line_of(text, ["principles", former[0]])) else str(path)
        raise ExperimentError(
            f"{where}: `principles.{former[0]}` is of a study of one pair of networks and several seeds, which is not "
            "judged any more; begin a new run, in which each claim is tested on many `settings`"
        )
    try:
        design = TypeAdapter(Design).validate_json(json.dumps(data, default=str))
    except ValidationError as problems:
        first = problems.errors()[0]
        keys = ["principles", *map(str, first["loc"])]
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

    Its claims are those that it began with, so that principles added since do not change the intervals.
    """
    if not (path / FILE).is_file():
        raise ExperimentError(f"{path} has no study of principles; start one with: nas principles EXPERIMENT")
    return read_study(path / FILE, changes)
