"""CIFAR-10 at 16 x 16 pixels, so that a network of a million MACs is trained in seconds."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from nas.genome.task import Task
from nas.training.data.catalog.public_sets import CIFAR10
from nas.training.data.reader import Part
from nas.training.data.source import Size
from nas.training.data.split import Split


class Cifar16:
    """CIFAR-10 shrunk to 16 x 16 pixels, each the mean of four; the files are those of `cifar10`."""

    name: ClassVar[str] = "benchmarks.cifar16:Cifar16"
    summary: ClassVar[str] = "CIFAR-10 shrunk to 16 x 16 pixels"
    task: ClassVar[Task] = Task("cifar16", (3, 16, 16), 10)
    resizes: ClassVar[bool] = False
    own: ClassVar[bool] = False

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return the names that the authors give."""
        return CIFAR10.class_names(data_dir)

    def parts(self, data_dir: Path) -> tuple[Part, ...]:
        """Return the two parts that are published."""
        return CIFAR10.parts(data_dir)

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return a part's files. Raises DataError for the first that is missing."""
        return CIFAR10.files(data_dir, part)

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        """Return a part after checking the digests of its files. Raises DataError."""
        return halve(CIFAR10.read(files, part, size))


def halve(split: Split) -> Split:
    """Return the images at half their height and width: each pixel is the mean of four, rounded."""
    n, channels, height, width = split.images.shape
    squares = split.images.reshape(n, channels, height // 2, 2, width // 2, 2)
    return Split(((squares.sum((3, 5), dtype=np.uint16) + 2) // 4).astype(np.uint8), split.labels)
