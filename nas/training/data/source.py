"""Which images: a name, a place, and how much of them."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """A data set as an experiment names it. None stands for the set's own way.

    directory: where the files lie; otherwise NAME in the folder that the environment variable NAS_DATA names, or in
    `data`. image_size: pixels a side, to which a folder's or a Parquet file's images are cropped and scaled.
    train_images: how many to train on, with each class in its share. validation: share of the images for training
    that is held out.
    """

    name: str
    directory: str | None = None
    image_size: int | None = None
    train_images: int | None = None
    validation: float | None = None

    @property
    def place(self) -> Path:
        """Where the files are looked for."""
        return Path(self.directory) if self.directory else Path(os.environ.get("NAS_DATA") or "data") / self.name
