"""The digits that come with scikit-learn, so that a first search needs no files."""

import importlib.util
from pathlib import Path
from typing import ClassVar

import numpy as np

from nas.genome.task import Task
from nas.training.data.reader import Part
from nas.training.data.source import Size
from nas.training.data.split import Split
from nas.training.data.untrusted import raise_data_error, read_bytes


class Digits:
    """1,797 handwritten digits of 8 x 8 pixels, 0 to 16 (Alpaydin and Kaynak 1998, UCI), scaled to 0 to 240."""

    name: ClassVar[str] = "digits"
    summary: ClassVar[str] = "handwritten digits that come with scikit-learn"
    task: ClassVar[Task] = Task("digits", (1, 8, 8), 10)
    resizes: ClassVar[bool] = False
    own: ClassVar[bool] = False
    pixel_max: ClassVar[int] = 240

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return the digits."""
        return tuple("0123456789")

    def parts(self, data_dir: Path) -> tuple[Part, ...]:
        """Return "train" only."""
        return ("train",)

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return none: the file is part of scikit-learn."""
        return []

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        """Return all images, without importing scikit-learn, which takes a second per worker. Raises DataError."""
        package = importlib.util.find_spec("sklearn")
        assert package is not None
        assert package.submodule_search_locations is not None
        path = Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
        with raise_data_error(path, "Reinstall scikit-learn"):
            rows = np.loadtxt(read_bytes(path, 1 << 20).decode().splitlines(), delimiter=",").reshape(-1, 65)
        return Split((rows[:, :64] * 15).astype(np.uint8).reshape(-1, 1, 8, 8), rows[:, 64].astype(np.int64))
