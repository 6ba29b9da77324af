"""How a network is trained: numbers, each with its reason.

`Recipe()` suits small images and short schedules; `recipe("resnet_cifar")` is a paper's own, from recipes/*.toml.
"""

import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from nas.errors import ExperimentError

Count = Annotated[int, Field(ge=1, le=100_000)]
Pixels = Annotated[int, Field(ge=0, le=512)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Amount = Annotated[float, Field(ge=0, le=1e6)]
Shares = Annotated[tuple[Share, ...], Field(strict=False)]  # a list too: a recipe travels to workers as JSON

HERE = Path(__file__).with_name("recipes")
RECIPES = tuple(sorted(path.stem for path in HERE.glob("*.toml")))
"""The names that `recipe` knows."""


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Recipe:
    """Training settings of a trial. Where an amount may be 0, that turns its part off.

    Shares count from the first step (0) to the last (1), so a schedule keeps its form when `epochs` changes.
    """

    epochs: Count = 12  # enough on digits for the order of networks to settle; later epochs move all alike
    batch: Annotated[int, Field(ge=2, le=100_000)] = (
        64  # a thousand images make 17 steps an epoch; fewer train too little
    )

    optimizer: Literal["sgd", "nesterov", "adamw", "rmsprop"] = "nesterov"  # as Huang et al. 2017, section 4.2
    rate: Positive = 0.1  # the highest learning rate; under batch norm SGD takes it at this batch
    momentum: Share = 0.9  # share of the running gradient kept a step (Krizhevsky et al. 2012, section 5);
    # of the running squared gradient in rmsprop, where the papers call it the decay
    epsilon: Positive = 1e-8  # beside the root in adamw and rmsprop; Szegedy et al. 2015 take 1.0
    decay: Share = 5e-4  # weight decay of kernels (Krizhevsky et al. 2012, section 5); norms and biases have none
    clip: Amount = 2.0  # the longest gradient allowed (Szegedy et al. 2015, section 8)

    schedule: Literal["cosine", "onecycle", "step", "exponential"] = "cosine"  # reaches zero, so the end is settled
    warmup: Share = 0.2  # share of steps in which the rate rises, so that deep plain stacks survive the peak
    factor: Share = 0.1  # of step and exponential: what the rate is multiplied by (He et al. 2015, section 3.4)
    drops: Shares = ()  # of step: the shares of training at which that happens
    every: Count = 1  # of exponential: the epochs from one time to the next

    shift: Pixels = 1  # the most random translation; one pixel of 8 is as four of 32 (He et al. 2015, section 4.2)
    flip: bool = False  # mirrored at random; it makes other signs of digits, and suits photographs
    cutout: Pixels = 0  # side of the square set to the mean (DeVries & Taylor 2017); no gain in 15 epochs
    mixup: Amount = 0.0  # alpha of the images' blend (Zhang et al. 2018); no gain in 15 epochs
    smoothing: Share = 0.1  # of labels (Szegedy et al. 2015, section 7)
    auxiliary: Amount = 0.3  # weight of each auxiliary head's loss (Szegedy et al. 2014, section 5)
    average: Share = 0.0  # share of the running mean of weights kept a step; no gain where the rate falls to zero

    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of the step; docs/training.md has the measurements
    compile: bool = False  # torch.compile takes half a minute a network, longer than a short trial

    def __post_init__(self) -> None:
        if self.schedule == "step" and not self.drops:
            raise ValueError('schedule "step" needs `drops`, such as [0.5, 0.75]')
        if self.schedule != "step" and self.drops:
            raise ValueError(f'`drops` (={self.drops}) is read by schedule "step" only, found "{self.schedule}"')
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"`drops` (={self.drops}) must rise")


def recipe(name: str) -> Recipe:
    """A named recipe. Raises ExperimentError naming those there are."""
    if name not in RECIPES:
        raise ExperimentError(f"no recipe {name[:60]!r}. There are: {', '.join(RECIPES)}")
    return Recipe(**tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8")))


def recipe_settings(table: dict[str, Any]) -> dict[str, Any]:
    """A recipe as an experiment writes it, with the named recipe of `like` laid under it.

    Raises ExperimentError naming the recipes there are.
    """
    if "like" not in table:
        return table
    base = asdict(recipe(str(table["like"])))
    if table.get("schedule", "step") != "step":
        base["drops"] = ()  # they belong to the schedule that was replaced
    return base | {key: value for key, value in table.items() if key != "like"}
