"""What every reader of a data set does."""

from pathlib import Path
from typing import Literal, Protocol

from nas.genome.task import Task
from nas.training.data.source import Size
from nas.training.data.split import Split

Part = Literal["train", "validation", "test"]


class Reader(Protocol):
    """A way to find and read the files of a data set. `nas.testing.readers.check_reader` tests this contract.

    name: as an experiment's `data` gives it. summary: one line for `nas data`. task: None where the files decide it.
    resizes: whether `read` accepts a size. own: whether the files are a user's own, so that the set is called by its
    folder's name.

    Two more members are optional. preparation: what became of the files' images before they were pixels, for cards.
    skipped(data_dir): a Counter of the files that are passed over, by the reason.
    """

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def task(self) -> Task | None: ...

    @property
    def resizes(self) -> bool: ...

    @property
    def own(self) -> bool: ...

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return the names of the classes in the order of their labels; none if unknown. Raises DataError."""
        ...

    def parts(self, data_dir: Path) -> tuple[Part, ...]:
        """Return the parts that the set has, "train" among them. Raises DataError.

        Of a set without a part for validation or for the test, images for training are held out.
        """
        ...

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return a part's files in a fixed order, none for a set without files. Raises DataError if some are missing.

        The part is read again when one of these files changes.
        """
        ...

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        """Return a part from its files, with images of `size` (height, width) if given. Raises DataError.

        Images are uint8 (n, channels, height, width), labels int64 (n,) from 0 without gaps.
        """
        ...
