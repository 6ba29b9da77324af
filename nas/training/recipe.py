"""How a network is trained: numbers, each with its reason."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

Count = Annotated[int, Field(ge=1, le=100_000)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Recipe:
    """Training settings of a trial; the defaults suit small images and short schedules."""

    epochs: Count = 12  # enough on digits for the order of networks to settle; later epochs move all alike
    batch: Annotated[int, Field(ge=2, le=100_000)] = (
        64  # a thousand images make 17 steps an epoch; fewer train too little
    )
    rate: Positive = 0.1  # peak learning rate of SGD at this batch under batch norm
    momentum: Share = 0.9  # Krizhevsky et al. 2012, section 5; in Nesterov's form, as Huang et al. 2017, section 4.2
    decay: Annotated[float, Field(ge=0, le=1)] = 5e-4  # on kernels only; norms and biases are left alone
    warmup: Share = 0.2  # share of the steps in which the rate rises, so that deep plain stacks survive the peak
    smoothing: Share = 0.1  # label smoothing (Szegedy et al. 2015, section 7)
    shift: Annotated[int, Field(ge=0, le=64)] = 1  # pixels of random translation; a flip makes digits other signs
    auxiliary: Annotated[float, Field(ge=0, le=10)] = 0.3  # weight of an auxiliary head's loss (Szegedy et al. 2014)
    clip: Positive = 2.0  # the gradient's norm is clipped here (Szegedy et al. 2015, section 8)
