"""How the best networks of a search are trained again."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nas.training.recipe import Recipe

VariantName = Literal["all-images", "distilled"]
"""How the best finalist may be trained once more: with the images for validation, or taught by another network."""


class FinalistSettings(BaseModel):
    """The best networks are trained again from several seeds.

    epochs: of each training; None: twice the search's. all_images: whether the best of them is then trained on the
    images for validation, too. teacher: by whom it is taught then: a trial, a run, whose best it is, or RUN:TRIAL.
    baselines: whether the baselines of the search are trained as the finalists are.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    top: Annotated[int, Field(ge=1, le=1000)] = 5  # networks
    seeds: Annotated[int, Field(ge=1, le=100)] = 3  # trainings of each
    epochs: Annotated[int | None, Field(ge=1, le=100_000)] = None
    all_images: bool = False
    teacher: Annotated[str, Field(max_length=100)] = ""
    baselines: bool = False

    @property
    def variants(self) -> tuple[VariantName, ...]:
        """Return the other ways in which the best finalist is trained."""
        named: dict[VariantName, bool] = {"all-images": self.all_images, "distilled": bool(self.teacher)}
        return tuple([name for name, wanted in named.items() if wanted])

    def recipe(self, search: Recipe) -> Recipe:
        """Return the recipe of finalists: the search's, with other epochs."""
        return replace(search, epochs=self.epochs or 2 * search.epochs)


def _as_table(value: Any) -> Any:
    return {"top": value} if type(value) is int else value


Finalists = Annotated[FinalistSettings | None, BeforeValidator(_as_table)]
"""A table of settings, or the number of networks alone; None: no finalists."""
