"""How a network is trained: numbers, each with its reason.

`Recipe()` suits small images and short schedules; `recipe("resnet_cifar")` is a paper's own, from recipes/*.toml.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from nas.errors import ExperimentError, near
from nas.files import read_text

Count = Annotated[int, Field(ge=1, le=100_000)]
BatchSize = Annotated[int, Field(ge=2, le=100_000)]
Pixels = Annotated[int, Field(ge=0, le=512)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Amount = Annotated[float, Field(ge=0, le=1e6)]
Shares = Annotated[tuple[Share, ...], Field(strict=False)]  # a list too: a recipe travels to workers as JSON

RecipeChanges = dict[str, Any]  # settings by name
HERE = Path(__file__).with_name("recipes")
RECIPES = tuple(sorted(path.stem for path in HERE.glob("*.toml")))
"""The names that `recipe` accepts."""
FORMER_KEYS = {
    "rate": "learning_rate", "decay": "weight_decay", "clip": "grad_clip", "drops": "milestones",
    "every": "step_epochs", "factor": "gamma", "shift": "crop_padding", "average": "ema_decay",
    "smoothing": "label_smoothing",
}  # fmt: skip
"""Today's key for each former one, which files may still use."""


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Recipe:
    """Training settings of a trial. A part whose amount may be 0 is turned off by 0.

    Shares of training count from the first step (0) to the last (1), so a schedule keeps its shape when `epochs`
    changes.
    """

    epochs: Count = 12  # on digits the order of networks has settled by then; later epochs move all networks alike
    batch: BatchSize = 64  # 17 steps per epoch of a thousand images; fewer train too little

    optimizer: Literal["sgd", "nesterov", "adamw", "rmsprop"] = "nesterov"  # as Huang et al. 2017, section 4.2
    learning_rate: Positive = 0.1  # the highest of the schedule; with batch norm, SGD tolerates it at this batch size
    momentum: Share = 0.9  # decay of the running mean of gradients (Krizhevsky et al. 2012, section 5); not of rmsprop
    rms_alpha: Share = 0.9  # of rmsprop: decay of the mean of squared gradients (Szegedy et al. 2015, section 8)
    epsilon: Positive = 1e-8  # added to the root in adamw and rmsprop; Szegedy et al. 2015 use 1.0
    weight_decay: Share = 5e-4  # of kernels only (Krizhevsky et al. 2012, section 5), not of norms and biases
    grad_clip: Amount = 2.0  # the largest norm of the gradient (Szegedy et al. 2015, section 8)

    schedule: Literal["cosine", "onecycle", "step", "exponential"] = "cosine"  # ends at zero, so the weights settle
    warmup: Share = 0.2  # share of steps in which the rate rises, so that deep plain stacks survive the highest rate
    gamma: Share = 0.1  # of step and exponential: the factor of each reduction (He et al. 2015, section 3.4)
    milestones: Shares = ()  # of step: the shares of training at which the rate is reduced
    step_epochs: Count = 1  # of exponential: epochs between reductions

    crop_padding: Pixels = 1  # the largest random shift; 1 pixel of 8 is like 4 of 32 (He et al. 2015, section 4.2)
    flip: bool | Literal["alternate"] = False  # mirror at random, or in every other epoch (Jordan 2024); not digits
    first_side: Pixels = 0  # of the first epoch's images, which then grow to the whole (Touvron et al. 2019); 0: whole
    cutout: Pixels = 0  # side of the square set to the mean (DeVries & Taylor 2017); no gain in 15 epochs
    mixup: Amount = 0.0  # alpha of mixup (Zhang et al. 2018); no gain in 15 epochs
    label_smoothing: Share = 0.1  # Szegedy et al. 2015, section 7
    distill_weight: Share = 0.9  # of a teacher's answers in the loss, where there is a teacher (Hinton et al. 2015)
    distill_temperature: Positive = 4.0  # by which both networks' logits are divided for that (likewise)
    class_weights: Literal["none", "balanced"] = "none"  # of the loss; balanced: by inverse frequency in training
    auxiliary: Amount = 0.3  # weight of each auxiliary head's loss (Szegedy et al. 2014, section 5)
    ema_decay: Share = 0.0  # decay of the running mean of weights; no gain where the rate falls to zero

    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of the step; docs/training.md has the measurements
    compile: bool = False  # torch.compile takes half a minute per network, longer than a short trial

    @model_validator(mode="before")
    @classmethod
    def _name_todays_key(cls, given: Any) -> Any:
        keys = given.kwargs if isinstance(given, ArgsKwargs) else given
        for former, key in FORMER_KEYS.items():
            if isinstance(keys, dict) and former in keys:
                raise ValueError(f"`{former}` is now `{key}`")
        return given

    def __post_init__(self) -> None:
        if self.schedule == "step" and not self.milestones:
            raise ValueError('schedule "step" needs `milestones`, such as [0.5, 0.75]')
        if self.schedule != "step" and self.milestones:
            raise ValueError(f'`milestones` (={self.milestones}) is for schedule "step" only, found "{self.schedule}"')
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"`milestones` (={self.milestones}) must rise")


def recipe(name: str) -> Recipe:
    """Return a named recipe. Raises ExperimentError for an unknown name."""
    if name not in RECIPES:
        raise ExperimentError(f"no recipe {name[:60]!r}{near(name, RECIPES) or '.'} There are: {', '.join(RECIPES)}")
    return Recipe(**tomllib.loads(read_text(HERE / f"{name}.toml")))


def recipe_settings(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an experiment's [recipe], laid over those of the recipe that `like` names.

    Former keys are read as today's. Raises ExperimentError for an unknown recipe, and for a key that is given under
    both its names.
    """
    base = asdict(recipe(str(table["like"]))) if "like" in table else {}
    settings = translate_keys(table, base.get("optimizer"))
    if settings.get("schedule", "step") != "step":
        base.pop("milestones", None)  # they belong to the schedule that is replaced
    return base | {key: value for key, value in settings.items() if key != "like"}


def translate_keys(table: Mapping[str, Any], optimizer: str | None = None) -> dict[str, Any]:
    """Return a recipe's table with today's keys. `optimizer` is the one used where the table gives none.

    In a file without `rms_alpha`, `momentum` is that of rmsprop where this is the optimizer, as it was called formerly.
    Raises ExperimentError for a key that is given under both its names.
    """
    for former, key in FORMER_KEYS.items():
        if former in table and key in table:
            raise ExperimentError(f"`{former}` is the former name of `{key}`, which is given too; keep `{key}` only")
    settings = {FORMER_KEYS.get(key, key): value for key, value in table.items()}
    if settings.get("optimizer", optimizer) == "rmsprop" and "momentum" in settings and "rms_alpha" not in settings:
        settings["rms_alpha"] = settings.pop("momentum")
    return settings
