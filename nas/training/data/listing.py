"""The image files below a folder, and what is passed over there."""

import os
from collections import Counter
from collections.abc import Iterator
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
    return Listing(sorted(map(Path, _walk(folder, skipped := Counter[str]()))), skipped)


def _walk(folder: str | Path, skipped: Counter[str]) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir():
                if reason := _reason(entry):
                    skipped[reason] += 1
                else:
                    yield entry.path
            elif is_junk(entry.name) or entry.is_symlink():
                skipped[HIDDEN if is_junk(entry.name) else LINKED] += 1
            else:
                yield from _walk(entry.path, skipped)


def list_beside(folder: Path) -> Listing:
    """Return the image files in a folder itself, and what else lies there apart from folders. Raises OSError."""
    with os.scandir(folder) as entries:
        reasons = {entry.path: _reason(entry) for entry in entries if is_junk(entry.name) or not entry.is_dir()}
    images = [Path(path) for path in sorted(reasons) if not reasons[path]]
    return Listing(images, Counter(filter(None, reasons.values())))


def _reason(entry: os.DirEntry[str]) -> str:
    """Return why a file is passed over, "" if it is not."""
    if is_junk(entry.name):
        return HIDDEN
    suffix = os.path.splitext(entry.name)[1].lower()
    if suffix not in SUFFIXES:
        return suffix[:10] or "without a suffix"
    return "" if entry.is_file() else NO_FILE


def counted(reasons: Counter[str]) -> str:
    """Return "3 .txt, 1 .gif", the most frequent first."""
    return ", ".join(
        f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item))
    )
