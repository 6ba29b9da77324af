"""The image files below a folder, and what is passed over there."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from nas.training.data.part_names import is_junk

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
HIDDEN, BESIDE = "hidden or a system's", "images outside the class folders"
NO_FILE, LINKED = "not files", "linked folders"
"""Why something is passed over; another file is counted by the end of its name."""


@dataclass(frozen=True)
class Listing:
    """The image files below a folder, sorted, and how many of the others there are, by the reason."""

    images: list[Path]
    skipped: Counter[str]


def list_images(folder: Path) -> Listing:
    """Return the image files in a folder and in the folders below it, links to folders left out. Raises OSError."""
    images, skipped = list[Path](), Counter[str]()
    for home, folders, names in os.walk(folder, onerror=_raise):
        links = {name for name in folders if os.path.islink(os.path.join(home, name))}
        skipped.update(HIDDEN if is_junk(name) else LINKED for name in folders if is_junk(name) or name in links)
        folders[:] = [name for name in folders if name not in links and not is_junk(name)]
        found = sort_files([Path(home, name) for name in names])
        images += found.images
        skipped += found.skipped
    return Listing(sorted(images), skipped)


def sort_files(files: list[Path]) -> Listing:
    """Return which of some files are images, by their names, and why the others are not."""
    reasons = {file: _reason(file) for file in files}
    return Listing([file for file in files if not reasons[file]], Counter(filter(None, reasons.values())))


def _reason(file: Path) -> str:
    """Return why a file is passed over, "" if it is not."""
    if is_junk(file.name):
        return HIDDEN
    if file.suffix.lower() not in SUFFIXES:
        return file.suffix[:10].lower() or "without a suffix"
    return "" if file.is_file() else NO_FILE


def counted(reasons: Counter[str]) -> str:
    """Return "3 .txt, 1 .gif", the most frequent first."""
    return ", ".join(
        f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item))
    )


def _raise(problem: OSError) -> None:
    raise problem
