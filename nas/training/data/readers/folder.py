"""One folder per class, one file per image: the layout of ImageNet and of most private sets."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from nas.errors import DataError
from nas.training.data.images import MAX_ENCODED, PREPARATION, ImageStack
from nas.training.data.part_names import named_part, visible
from nas.training.data.reader import Part
from nas.training.data.source import Size
from nas.training.data.split import Split
from nas.training.data.untrusted import raise_data_error

SUFFIXES = {".png", ".jpg", ".jpeg"}
LAYOUT = (
    "Put one folder per class there, with PNG or JPEG files in it, or such folders in train/, and in val/ and test/ if "
    "there are such parts"
)


class Folder:
    """DIR/CLASS/*.png, or DIR/train/CLASS, DIR/val/CLASS and DIR/test/CLASS. Classes are numbered by name."""

    name: ClassVar[str] = "folder"
    summary: ClassVar[str] = "your own: one folder per class of PNG or JPEG files"
    task: ClassVar[None] = None
    resizes: ClassVar[bool] = True
    own: ClassVar[bool] = True
    preparation: ClassVar[str] = PREPARATION

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return the names of the folders for training. Raises DataError."""
        return tuple(folder.name for folder in _class_folders(_part_folders(data_dir)["train"]))

    def parts(self, data_dir: Path) -> tuple[Part, ...]:
        """Return "train", and the parts that have a folder. Raises DataError."""
        return tuple(_part_folders(data_dir))

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return the images sorted by class and name.

        Raises DataError if there are none, also in one class, and if the part has other classes than training has.
        """
        roots = _part_folders(data_dir)
        root, names = roots[part], [folder.name for folder in _class_folders(roots["train"])]
        with raise_data_error(root, LAYOUT):
            by_class = [(folder, _images(folder)) for folder in _class_folders(root)]
        if not any(images for _, images in by_class):
            raise DataError(f"{root}: no images. {LAYOUT}")
        if empty := next((folder for folder, images in by_class if not images), None):
            raise DataError(f"{empty}: a class without PNG or JPEG files; fill or remove that folder")
        found = {folder.name for folder, _ in by_class}
        if missing := [name for name in names if name not in found]:
            raise DataError(f"{root}: no folder for class {missing[0]!r}; add images of it, or move {root.name} away")
        if unknown := sorted(found.difference(names)):
            raise DataError(
                f"{root}: no class {unknown[0]!r} among those for training; add it there, or remove it here"
            )
        return [path for _, images in by_class for path in images]

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        """Return the images of a part. Raises DataError naming the first that cannot be read."""
        names = sorted({path.parent.name for path in files})
        label_of = {name: label for label, name in enumerate(names)}  # each part has a folder for every class
        stack, labels = ImageStack(len(files), size), []
        for path in files:
            with raise_data_error(path, "Repair or remove it"):
                if path.stat().st_size > MAX_ENCODED:
                    raise ValueError(f"{path.stat().st_size:,} bytes; at most {MAX_ENCODED:,} are read per image")
                stack.add(path.read_bytes())
                labels.append(label_of[path.parent.name])
        return Split(stack.images(), np.array(labels, np.int64))


def _part_folders(data_dir: Path) -> dict[Part, Path]:
    """Return the folder of each part; the whole set is "train" where no folder is named so. Raises DataError."""
    roots: dict[Part, Path] = {}
    with raise_data_error(data_dir, LAYOUT):
        folders = [path for path in visible(data_dir) if path.is_dir()]
    for folder in folders:
        if (part := named_part(folder.name)) is None:
            continue
        if part in roots:
            raise DataError(f"{data_dir}: both {roots[part].name} and {folder.name} are for {part}; keep one of them")
        roots[part] = folder
    _check_distinct(roots, data_dir)
    if not roots:
        return {"train": data_dir}
    if "train" not in roots:
        name = next(iter(roots.values())).name
        raise DataError(
            f"{data_dir}: a folder {name}, but none named train. Move the class folders for training into train/; "
            f"if {name} is a class, rename it"
        )
    if stray := next((folder for folder in folders if folder not in roots.values() and _holds_images(folder)), None):
        raise DataError(
            f"{data_dir}: {stray.name} is a folder of images beside {roots['train'].name}; move it into "
            f"{roots['train'].name}, or away"
        )
    return {part: roots[part] for part in ("train", "validation", "test") if part in roots}


def _check_distinct(roots: Mapping[Part, Path], data_dir: Path) -> None:
    """Raise DataError when links make two parts one folder: its images would be in both."""
    folders: dict[Path, Path] = {}
    for folder in roots.values():
        other = folders.setdefault(folder.resolve(), folder)
        if other is not folder:
            raise DataError(
                f"{data_dir}: {other.name} and {folder.name} are one folder, given twice; remove one of them"
            )


def _holds_images(folder: Path) -> bool:
    return bool(_images(folder))


def _class_folders(root: Path) -> list[Path]:
    return [path for path in visible(root) if path.is_dir()]


def _images(folder: Path) -> list[Path]:
    return [path for path in visible(folder) if path.suffix.lower() in SUFFIXES and path.is_file()]
