"""The names by which folders, files and arrays tell the parts of a set, and the names that are never read."""

import re
from pathlib import Path

from nas.training.data.reader import Part

NAMES: dict[Part, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
JUNK = {
    "__macosx", "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin",
    "system volume information",
}  # fmt: skip
_PREFIX = {
    part: re.compile(rf"(partial-)?({'|'.join(names)})(?![a-z])", re.IGNORECASE) for part, names in NAMES.items()
}


def is_junk(name: str) -> bool:
    """Return whether a file or folder is a system's own: hidden, or left by an archive or a file manager."""
    return name.startswith(".") or name.casefold() in JUNK


def named_part(name: str) -> Part | None:
    """Return the part that a folder's whole name tells, in any case."""
    return next((part for part, names in NAMES.items() if name.casefold() in names), None)


def prefixed_part(name: str) -> Part | None:
    """Return the part that the first word of a name tells, as in `train-00000-of-00002.parquet`.

    A hub calls the first gigabytes of a part `partial-train`.
    """
    return next((part for part, prefix in _PREFIX.items() if prefix.match(name)), None)


def part_in_words(name: str) -> Part | None:
    """Return the part that any word of a name tells, as in `seg_train` or `Test set`."""
    return next((part for word in re.split(r"[^a-z]+", name.lower()) if (part := named_part(word))), None)


def visible(folder: Path) -> list[Path]:
    """Return what a folder holds, sorted, without junk. Raises OSError."""
    return sorted(path for path in folder.iterdir() if not is_junk(path.name))
