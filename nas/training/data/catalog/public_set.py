"""A public set: its files and their digests, and how to get them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import ClassVar

from nas.errors import DataError
from nas.genome.task import Task
from nas.training.data.reader import Part
from nas.training.data.source import Size
from nas.training.data.split import Split
from nas.training.data.untrusted import raise_data_error, read_bytes


@dataclass(frozen=True)
class DataFile:
    """A file of a known length, in bytes, and SHA-256."""

    name: str
    length: int
    digest: str

    def check(self, content: bytes) -> bytes:
        """Return the content. Raises ValueError when its digest is another."""
        digest = sha256(content).hexdigest()
        if digest != self.digest:
            actual = f"its {len(content):,} bytes have SHA-256 {digest}"
            raise ValueError(f"{actual}, the published {self.length:,} have {self.digest}")
        return content


@dataclass(frozen=True)
class PublicSet:
    """A public set. train, test: its files, unpacked. downloads: what `home` serves, archives or these files as .gz.

    folders: where unpacking an archive, or other loaders, put the files within the set's folder. counts: images for
    training and for the test. classes: their names in order, separated by commas; empty where there are many.
    """

    task: Task
    home: str
    downloads: tuple[DataFile, ...]
    train: tuple[DataFile, ...]
    test: tuple[DataFile, ...]
    folders: tuple[str, ...]
    parse: Callable[[Sequence[bytes]], Split]
    counts: tuple[int, int]
    classes: str = ""
    resizes: ClassVar[bool] = False
    own: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Return the name in an experiment."""
        return self.task.name

    @property
    def summary(self) -> str:
        """Return one line for `nas data`."""
        return f"a public set; fetch it: nas data {self.name}"

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return the names that the authors give, if they are listed."""
        return tuple(self.classes.split(", ")) if self.classes else ()

    def parts(self, data_dir: Path) -> tuple[Part, ...]:
        """Return the two parts that are published."""
        return "train", "test"

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return a part's files, plain or as .gz. Raises DataError for the first that is missing or cannot be there."""
        paths = []
        for file in self.part_files(part):
            with raise_data_error(data_dir, "Name another folder as data_dir"):  # a path can be too long
                path = next(self._candidates(data_dir, file), None)
            if path is None:
                raise DataError(f"{self.name}: no {file.name} in {data_dir}. {self.remedy(data_dir)}")
            paths.append(path)
        return paths

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        """Return a part after checking the digests of its files. Raises DataError."""
        contents = []
        for path, file in zip(files, self.part_files(part), strict=True):
            with raise_data_error(path, f"Delete it, then: nas data {self.name} {quote(str(path.parent))}"):
                contents.append(file.check(read_bytes(path, file.length)))
        with raise_data_error(files[0].parent, "The files are the published ones: please report this"):
            return self.parse(contents)

    def part_files(self, part: Part) -> tuple[DataFile, ...]:
        """Return a part's files as published."""
        return self.train if part == "train" else self.test

    def remedy(self, data_dir: Path) -> str:
        """Return how to get the files."""
        return f"Fetch it: nas data {self.name} {quote(str(data_dir))}   Or {self.manual_remedy(data_dir)}"

    def manual_remedy(self, data_dir: Path) -> str:
        """Return how to get the files without this toolkit."""
        names = ", ".join(file.name for file in self.downloads)
        return (
            f"get {names} from {self.home} and put the files (archives unpacked) in {data_dir}; name a folder "
            f"elsewhere as data_dir in the experiment"
        )

    def _candidates(self, data_dir: Path, file: DataFile) -> Iterator[Path]:
        for folder in ("", *self.folders):
            for name in (file.name, f"{file.name}.gz"):
                if (path := data_dir / folder / name).is_file():
                    yield path
