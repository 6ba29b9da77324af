"""Sets with one published form: which files, and how to know that they are the ones."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import ClassVar

from nas.errors import DataError
from nas.genome.task import Task
from nas.training.data.reader import Part
from nas.training.data.split import Split
from nas.training.data.untrusted import reading, whole


@dataclass(frozen=True)
class File:
    """Something of a known length, in bytes, and SHA-256."""

    name: str
    length: int
    digest: str

    def check(self, content: bytes) -> bytes:
        """The content. Raises ValueError when it is another."""
        found = sha256(content).hexdigest()
        if found != self.digest:
            said = f"its {len(content):,} bytes have SHA-256 {found}"
            raise ValueError(f"{said}, the published {self.length:,} have {self.digest}")
        return content


@dataclass(frozen=True)
class PublicSet:
    """A public set. train, test: its files, unpacked. downloads: what `home` serves, archives or these files as .gz.

    folders: where unpacking an archive, or other loaders, put the files under the set's own place.
    """

    task: Task
    home: str
    downloads: tuple[File, ...]
    train: tuple[File, ...]
    test: tuple[File, ...]
    folders: tuple[str, ...]
    layout: Callable[[Sequence[bytes]], Split]
    counts: tuple[int, int]  # images for training and for the test
    classes: str = ""  # their names in order, with commas between; where they are few
    resizes: ClassVar[bool] = False

    def names(self, place: Path) -> tuple[str, ...]:
        """As its authors call them."""
        return tuple(self.classes.split(", ")) if self.classes else ()

    def divided(self, place: Path) -> bool:
        """Always."""
        return True

    def files(self, place: Path, part: Part) -> list[Path]:
        """A part's files, plain or as .gz. Raises DataError for the first that is missing."""
        found = []
        for file in self.part(part):
            path = next(self._candidates(place, file), None)
            if path is None:
                raise DataError(f"{self.task.name}: no {file.name} in {place}. {self.remedy(place)}")
            found.append(path)
        return found

    def read(self, files: list[Path], part: Part, size: int | None) -> Split:
        """A part, its digests checked. Raises DataError."""
        contents = []
        for path, file in zip(files, self.part(part), strict=True):
            with reading(path, f"Delete it, then: nas data {self.task.name} {quote(str(path.parent))}"):
                contents.append(file.check(whole(path, file.length)))
        with reading(files[0].parent, "The files are the published ones: please report this"):
            return self.layout(contents)

    def part(self, part: Part) -> tuple[File, ...]:
        """A part's files as published."""
        return self.train if part == "train" else self.test

    def remedy(self, place: Path) -> str:
        """How to come by the files."""
        return f"Fetch it: nas data {self.task.name} {quote(str(place))}   Or {self.by_hand(place)}"

    def by_hand(self, place: Path) -> str:
        """How to come by the files without this toolkit."""
        names = ", ".join(file.name for file in self.downloads)
        return (
            f"get {names} from {self.home} and put the files (archives unpacked) in {place}; a folder elsewhere is "
            f"named as data_dir in the experiment"
        )

    def _candidates(self, place: Path, file: File) -> Iterator[Path]:
        for folder in ("", *self.folders):
            for name in (file.name, f"{file.name}.gz"):
                if (path := place / folder / name).is_file():
                    yield path
