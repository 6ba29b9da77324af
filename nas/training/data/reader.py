"""What every kind of data set answers."""

from pathlib import Path
from typing import Literal, Protocol

from nas.genome.task import Task
from nas.training.data.split import Split

Part = Literal["train", "test"]


class Reader(Protocol):
    """A way to find and read the files of a data set.

    task: known beforehand, or None where the files decide. resizes: whether `size` may be given.
    """

    @property
    def task(self) -> Task | None: ...

    @property
    def resizes(self) -> bool: ...

    def names(self, place: Path) -> tuple[str, ...]:
        """Of the classes, in the order of their numbers; none where they are not known. Raises DataError."""
        ...

    def divided(self, place: Path) -> bool:
        """Whether the set has a test part; else its one part is called train. Raises DataError."""
        ...

    def files(self, place: Path, part: Part) -> list[Path]:
        """A part's files in a fixed order; none for a set without files. Raises DataError when they are missing."""
        ...

    def read(self, files: list[Path], part: Part, size: int | None) -> Split:
        """A part, from its files. Raises DataError."""
        ...
