"""What a run records of its images when it is made, and how images read later differ from that."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from nas.errors import RunError
from nas.genome.graph import Shape
from nas.search.experiment import Experiment
from nas.search.trial import Attributes
from nas.training.data import summarize

Channels = tuple[Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)], ...]
MAX_SHOWN = 200  # characters of a difference


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="ignore"))
class DataFacts:
    """The images of a run as they were when it was made; None is what a run of an earlier version does not record.

    name: of the set. images, test: digests of train and validation together, and of the test split. input: shape of an
    image. mean, std: per channel, in units of 255. class_names: in the order of labels, none if the set has no names.
    """

    name: str = ""
    images: str | None = None
    test: str | None = None
    input: Shape | None = None
    classes: int | None = None
    mean: Channels | None = None
    std: Channels | None = None
    class_names: tuple[str, ...] | None = None

    def to_attributes(self) -> Attributes:
        """Return them as facts of a study. The digest in `images` has been there since the first version."""
        data = {name: value for name, value in vars(self).items() if name != "images"}
        return {"images": self.images, "data": data}

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """Return what cannot be checked, in words; the first clause of a sentence each."""
        what = {
            "whether these are the images of the search": self.images,
            "whether the test images are those of the search's time": self.test,
            "whether the class names are those of the search's time": self.class_names,
        }
        return tuple([words for words, value in what.items() if value is None])

    def check(self, now: "DataFacts", path: Path, data: str) -> None:
        """Raise RunError when images of `data` read now, whose unread facts are None, are not those of the run."""
        if found := "; ".join(self._differences(now)):
            raise RunError(
                f"{path} holds a run on other images than {data} has now: {found}. Restore them, or name the "
                "folder that holds them: --data-dir, or data_dir of the experiment. New images need a new search"
            )

    def _differences(self, now: "DataFacts") -> Iterator[str]:
        if None not in (self.class_names, now.class_names) and self.class_names != now.class_names:
            yield f"class names were {_listed(self.class_names)}, are now {_listed(now.class_names)}"
        if None not in (self.images, now.images) and self.images != now.images:
            moments = f" (mean {_bytes(self.mean)}, now {_bytes(now.mean)})" if self.mean and now.mean else ""
            yield f"the images for training and validation differ{moments}"
        if None not in (self.test, now.test) and self.test != now.test:
            yield "the test images differ"


def _listed(names: tuple[str, ...] | None) -> str:
    text = ", ".join(names or ()) or "unknown"
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + " ..."


def _bytes(values: Channels) -> str:
    return ", ".join(f"{255 * value:.1f}" for value in values)


def read_data_facts(experiment: Experiment) -> DataFacts:
    """Return the facts of an experiment's images as they are now. Raises DataError, of the test images too."""
    now = summarize(experiment.source)
    return DataFacts(
        experiment.images, now.images, now.test, now.task.input, now.task.classes, now.mean, now.std, now.class_names
    )


def data_facts_of(facts: Attributes) -> DataFacts:
    """Return what a study records of its images. Raises ValueError when they are damaged."""
    images = facts.get("images")
    known = {**facts.get("data", {}), "images": None if images is None else str(images)}
    return TypeAdapter(DataFacts).validate_json(json.dumps(known))
