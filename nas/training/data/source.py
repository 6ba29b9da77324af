"""Which images: a name, a folder, and how much of them."""

import os
from dataclasses import dataclass
from pathlib import Path

Size = tuple[int, int]  # height, width, in pixels


@dataclass(frozen=True)
class Source:
    """A data set as an experiment names it. None stands for the set's default.

    directory: the files' folder, or the one file; by default NAME in the folder given by the environment variable
    NAS_DATA, or in `data`. image_size: pixels a side, or (height, width), to which a folder's or a Parquet file's
    images are cropped and scaled. train_images: how many to train on, a stratified sample. validation: share of the
    images for training that is held out. division: which of the random divisions into images for training and for
    validation. all_images: train on the images for validation, too.
    """

    name: str
    directory: str | None = None
    image_size: int | Size | None = None
    train_images: int | None = None
    validation: float | None = None
    division: int = 0
    all_images: bool = False

    @property
    def size(self) -> Size | None:
        """Return the height and width to scale to."""
        return (self.image_size, self.image_size) if isinstance(self.image_size, int) else self.image_size

    @property
    def data_dir(self) -> Path:
        """Return the folder in which the files are looked for, or the one file."""
        return Path(self.directory) if self.directory else Path(os.environ.get("NAS_DATA") or "data") / self.name
