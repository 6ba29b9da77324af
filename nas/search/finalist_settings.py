"""How the best networks of a search are trained again."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nas.training.recipe import Recipe


class FinalistSettings(BaseModel):
    """The best networks are trained again from several seeds. epochs: of each training; None: twice the search's."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    top: Annotated[int, Field(ge=1, le=1000)] = 5  # networks
    seeds: Annotated[int, Field(ge=1, le=100)] = 3  # trainings of each
    epochs: Annotated[int | None, Field(ge=1, le=100_000)] = None

    def recipe(self, search: Recipe) -> Recipe:
        """Return the recipe of finalists: the search's, with other epochs."""
        return replace(search, epochs=self.epochs or 2 * search.epochs)


def _as_table(value: Any) -> Any:
    return {"top": value} if type(value) is int else value


Finalists = Annotated[FinalistSettings | None, BeforeValidator(_as_table)]
"""A table of settings, or the number of networks alone; None: no finalists."""
