"""The set that comes with scikit-learn, so that the first search needs no file."""

import importlib.util
from pathlib import Path
from typing import ClassVar

import numpy as np

from nas.genome.task import Task
from nas.training.data.reader import Part
from nas.training.data.split import Split
from nas.training.data.untrusted import reading, whole


class Digits:
    """1,797 handwritten digits of 8 x 8 pixels, 0 to 16 (Alpaydin and Kaynak 1998, UCI), scaled to 0 to 240."""

    task: ClassVar[Task] = Task("digits", (1, 8, 8), 10)
    resizes: ClassVar[bool] = False

    def names(self, place: Path) -> tuple[str, ...]:
        """The digits."""
        return tuple("0123456789")

    def divided(self, place: Path) -> bool:
        """Never."""
        return False

    def files(self, place: Path, part: Part) -> list[Path]:
        """None of its own."""
        return []

    def read(self, files: list[Path], part: Part, size: int | None) -> Split:
        """All images, read where it lies: importing scikit-learn takes each worker a second."""
        package = importlib.util.find_spec("sklearn")
        assert package is not None
        assert package.submodule_search_locations is not None
        path = Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
        with reading(path, "Install scikit-learn anew"):
            rows = np.loadtxt(whole(path, 1 << 20).decode().splitlines(), delimiter=",").reshape(-1, 65)
        return Split((rows[:, :64] * 15).astype(np.uint8).reshape(-1, 1, 8, 8), rows[:, 64].astype(np.int64))
