"""A folder a class, a file a picture; as ImageNet and most sets of one's own are kept."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from nas.errors import DataError
from nas.training.data.images import MAX_ENCODED, Stack
from nas.training.data.reader import Part
from nas.training.data.split import Split
from nas.training.data.untrusted import reading

SUFFIXES = {".png", ".jpg", ".jpeg"}
TESTS = ("test", "val")
LAYOUT = "Put one folder a class there, with PNG or JPEG files in it, or such folders in train/ and in test/ or val/"


class Folder:
    """DIR/CLASS/*.png, or DIR/train/CLASS and DIR/test/CLASS (or val). Classes are numbered by name."""

    task: ClassVar[None] = None
    resizes: ClassVar[bool] = True

    def names(self, place: Path) -> tuple[str, ...]:
        """Those of the folders. Raises DataError."""
        with reading(place, LAYOUT):
            return tuple(folder.name for folder in classes(_root(place, "train")))

    def divided(self, place: Path) -> bool:
        """Whether there are folders train and test, or val."""
        return (place / "train").is_dir() and any((place / name).is_dir() for name in TESTS)

    def files(self, place: Path, part: Part) -> list[Path]:
        """Pictures by class and name. Raises DataError, also for a class without any."""
        with reading(place, LAYOUT):
            root = _root(place, part)
            found = [(folder, _pictures(folder)) for folder in classes(root)]
        if not any(pictures for _, pictures in found):
            raise DataError(f"{root}: no pictures. {LAYOUT}")
        if empty := next((folder for folder, pictures in found if not pictures), None):
            raise DataError(f"{empty}: a class without PNG or JPEG files; fill or remove that folder")
        return [path for _, pictures in found for path in pictures]

    def read(self, files: list[Path], part: Part, size: int | None) -> Split:
        """The pictures of a part. Raises DataError naming the first that cannot be read."""
        root = files[0].parent.parent
        names = [folder.name for folder in classes(root.parent / "train" if part == "test" else root)]
        number = {name: label for label, name in enumerate(names)}
        pictures, labels = Stack(len(files), size), []
        for path in files:
            with reading(path, "Repair or remove it"):
                if path.stat().st_size > MAX_ENCODED:
                    raise ValueError(f"{path.stat().st_size:,} bytes; a picture of at most {MAX_ENCODED:,} is read")
                if path.parent.name not in number:
                    raise ValueError(f"no class {path.parent.name!r} among those for training")
                pictures.add(path.read_bytes())
                labels.append(number[path.parent.name])
        return Split(pictures.images(), np.array(labels, np.int64))


def _root(place: Path, part: Part) -> Path:
    names = ("train",) if part == "train" else TESTS
    return next((place / name for name in names if (place / name).is_dir()), place)


def classes(root: Path) -> list[Path]:
    """The class folders, by name."""
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
