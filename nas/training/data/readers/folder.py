"""One folder per class, one file per image: the layout of ImageNet and of most private sets."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from nas.errors import DataError
from nas.training.data.images import MAX_ENCODED, ImageStack
from nas.training.data.reader import Part
from nas.training.data.split import Split
from nas.training.data.untrusted import raise_data_error

SUFFIXES = {".png", ".jpg", ".jpeg"}
TEST_FOLDERS = ("test", "val")
LAYOUT = "Put one folder per class there, with PNG or JPEG files in it, or such folders in train/ and in test/ or val/"


class Folder:
    """DIR/CLASS/*.png, or DIR/train/CLASS and DIR/test/CLASS (or val). Classes are numbered by name."""

    name: ClassVar[str] = "folder"
    summary: ClassVar[str] = "your own: one folder per class of PNG or JPEG files"
    task: ClassVar[None] = None
    resizes: ClassVar[bool] = True
    own: ClassVar[bool] = True

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return the names of the folders. Raises DataError."""
        with raise_data_error(data_dir, LAYOUT):
            return tuple(folder.name for folder in _class_folders(_root(data_dir, "train")))

    def has_test(self, data_dir: Path) -> bool:
        """Return whether there is a folder train, and one named test or val."""
        return (data_dir / "train").is_dir() and any((data_dir / name).is_dir() for name in TEST_FOLDERS)

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return the images sorted by class and name. Raises DataError if there are none, also in one class."""
        with raise_data_error(data_dir, LAYOUT):
            root = _root(data_dir, part)
            by_class = [(folder, _images(folder)) for folder in _class_folders(root)]
        if not any(images for _, images in by_class):
            raise DataError(f"{root}: no images. {LAYOUT}")
        if empty := next((folder for folder, images in by_class if not images), None):
            raise DataError(f"{empty}: a class without PNG or JPEG files; fill or remove that folder")
        return [path for _, images in by_class for path in images]

    def read(self, files: list[Path], part: Part, size: int | None) -> Split:
        """Return the images of a part. Raises DataError naming the first that cannot be read."""
        root = files[0].parent.parent
        folders = _class_folders(root.parent / "train" if part == "test" else root)
        label_of = {folder.name: label for label, folder in enumerate(folders)}
        stack, labels = ImageStack(len(files), size), []
        for path in files:
            with raise_data_error(path, "Repair or remove it"):
                if path.stat().st_size > MAX_ENCODED:
                    raise ValueError(f"{path.stat().st_size:,} bytes; at most {MAX_ENCODED:,} are read per image")
                if path.parent.name not in label_of:
                    raise ValueError(f"no class {path.parent.name!r} among those for training")
                stack.add(path.read_bytes())
                labels.append(label_of[path.parent.name])
        return Split(stack.images(), np.array(labels, np.int64))


def _root(data_dir: Path, part: Part) -> Path:
    names = ("train",) if part == "train" else TEST_FOLDERS
    return next((data_dir / name for name in names if (data_dir / name).is_dir()), data_dir)


def _class_folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
