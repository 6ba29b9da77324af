"""One folder per class, one file per image: the layout of ImageNet and of most private sets."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from nas.errors import DataError, near
from nas.training.data.images import MAX_ENCODED, PREPARATION, ImageStack
from nas.training.data.listing import BESIDE, HIDDEN, counted, list_beside, list_images
from nas.training.data.part_names import is_junk, named_part, part_in_words, visible
from nas.training.data.reader import Part
from nas.training.data.source import Size
from nas.training.data.split import Split
from nas.training.data.untrusted import raise_data_error

LAYOUT = (
    "Put one folder per class there, with image files in it, or such folders in train/, and in val/ and test/ if "
    "there are such parts"
)


class Folder:
    """DIR/CLASS/**/*.png, or DIR/train/CLASS, DIR/val/CLASS and DIR/test/CLASS. Classes are numbered by name."""

    name: ClassVar[str] = "folder"
    summary: ClassVar[str] = "your own: one folder per class of image files"
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

        Raises DataError if there are none, also in one class, if the folders are not those of classes, and if the part
        has other classes than training has.
        """
        roots = _part_folders(data_dir)
        root = roots[part]
        with raise_data_error(root, LAYOUT):
            by_class = {folder: list_images(folder) for folder in _class_folders(root)}
            if not any(listing.images for listing in by_class.values()):
                flat = list_beside(root).images
                found = "no images in folders of their classes" if flat else "no images"
                raise DataError(f"{root}: {found}. {LAYOUT}")
            _check_names(root, [folder.name for folder in by_class], self.class_names(data_dir))
            _check_folders(root, list(by_class))
        for folder, listing in by_class.items():
            if not listing.images:
                holds = f", but {counted(listing.skipped)}" if listing.skipped else ""
                raise DataError(f"{folder}: a class without images{holds}; fill or remove that folder")
        return [path for listing in by_class.values() for path in listing.images]

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        """Return the images of a part. Raises DataError naming the first that cannot be read."""
        root = Path(os.path.commonpath(files))  # there are two classes at least, and each has a file
        classes = [path.relative_to(root).parts[0] for path in files]
        label_of = {name: label for label, name in enumerate(sorted(set(classes)))}  # each part has all classes
        stack = ImageStack(len(files), size, root)
        for path in files:
            with raise_data_error(path, "Repair or remove it"):
                if path.stat().st_size > MAX_ENCODED:
                    raise ValueError(f"{path.stat().st_size:,} bytes; at most {MAX_ENCODED:,} are read per image")
                stack.add(path.read_bytes())
        return stack.split(np.array([label_of[name] for name in classes], np.int64))

    def skipped(self, data_dir: Path) -> Counter[str]:
        """Return how many files are passed over, by the reason. Raises DataError."""
        roots = _part_folders(data_dir).values()
        total = Counter[str]()
        with raise_data_error(data_dir, LAYOUT):
            for root in {data_dir, *roots}:
                beside = list_beside(root)
                total += beside.skipped + Counter({BESIDE: len(beside.images)})
            inside = [folder for root in roots for folder in _class_folders(root)]
            for folder in {*inside, *_class_folders(data_dir)}.difference(roots):
                total += list_images(folder).skipped
        total[HIDDEN] -= (data_dir / ".nas").is_dir()  # the cache
        return +total


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
    with raise_data_error(data_dir, LAYOUT):
        others = [folder for folder in folders if folder not in roots.values() and list_images(folder).images]
    if others:
        raise DataError(
            f"{data_dir}: {others[0].name} is a folder of images beside {roots['train'].name}; move it into "
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


def _check_folders(root: Path, folders: list[Path]) -> None:
    """Raise DataError for folders that are not those of classes: a set inside a folder, parts among or in classes."""
    if len(folders) == 1:
        inside = [path.name for path in _class_folders(folders[0])]
        remedy = f"name {folders[0]} as data if {' and '.join(inside[:2])} are in it" if len(inside) > 1 else LAYOUT
        raise DataError(f"{root}: one class only, {folders[0].name}; there is nothing to tell apart. {remedy}")
    told = {part: folder.name for folder in folders if (part := part_in_words(folder.name))}
    if len(told) > 1:
        first, second = list(told.items())[:2]
        raise DataError(
            f"{root}: the folders {first[1]} and {second[1]} are parts rather than classes by their names; rename them "
            f"to {first[0]} and {second[0]}, with the classes in them"
        )
    for folder in folders:
        if inner := next((path for path in _class_folders(folder) if named_part(path.name)), None):
            raise DataError(
                f"{inner}: a part inside a class would be read as more images of the class. Put the part above the "
                f"classes, as {inner.name}/{folder.name}, or rename it"
            )


def _check_names(root: Path, found: list[str], names: tuple[str, ...]) -> None:
    """Raise DataError when a part has not the classes that training has."""
    if missing := [name for name in names if name not in found]:
        other = near(missing[0], set(found).difference(names))
        raise DataError(
            f"{root}: no folder for class {missing[0]!r}; add images of it, or move {root.name} away{other}"
        )
    if unknown := sorted(set(found).difference(names)):
        raise DataError(f"{root}: no class {unknown[0]!r} among those for training; add it there, or remove it here")


def _class_folders(root: Path) -> list[Path]:
    with os.scandir(root) as entries:  # a class may hold many files
        return [root / name for name in sorted(each.name for each in entries if each.is_dir()) if not is_junk(name)]
