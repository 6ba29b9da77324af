"""Which images: a name, a folder, and how much of them."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """A data set as an experiment names it. None stands for the set's default.

    directory: the files' folder; by default NAME in the folder given by the environment variable NAS_DATA, or in
    `data`. image_size: pixels a side, to which a folder's or a Parquet file's images are cropped and scaled.
    train_images: how many to train on, a stratified sample. validation: share of the images for training that is held
    out.
    """

    name: str
    directory: str | None = None
    image_size: int | None = None
    train_images: int | None = None
    validation: float | None = None

    @property
    def data_dir(self) -> Path:
        """Return the folder in which the files are looked for."""
        return Path(self.directory) if self.directory else Path(os.environ.get("NAS_DATA") or "data") / self.name
