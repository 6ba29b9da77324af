"""What an experiment's `data` means: the name of a set, or a path to images of one's own."""

import os
from pathlib import Path

from nas.errors import DataError, near
from nas.training.data.listing import SUFFIXES
from nas.training.data.part_names import is_junk
from nas.training.data.registry import READERS
from nas.training.data.untrusted import raise_data_error
from nas.user_code import is_outside

FILES = {".npz": "npz", ".parquet": "parquet"}
"""Readers of a single file, by the end of its name."""


def locate(data: str, base: Path | str = "") -> tuple[str, str | None]:
    """Return the name of a reader, and the absolute path of what it reads if `data` is a path rather than a name.

    A relative path starts from `base`, by default the current folder; one name stands for a registered reader rather
    than for a folder, and `./digits` for a folder. Raises DataError for what is neither, and for a folder that holds
    images in two forms.
    """
    if data in READERS or is_outside(data):
        return data, None
    place = Path(absolute_path(data, base))
    with raise_data_error(place, "Check data"):
        there = place.exists()
    if there:
        return recognize(place), str(place)
    raise DataError(
        f"no data set {data[:200]!r}{near(data, READERS)}: it is neither {str(place)[:300]}, which does not exist, "
        f"nor one of {', '.join(READERS)}"
    )


def absolute_path(path: str, base: Path | str = "") -> str:
    """Return a path made absolute; a relative one starts from `base`, and ~ is the home of the user."""
    return os.path.abspath(Path(base) / Path(path).expanduser())


def recognize(place: Path) -> str:
    """Return the reader for a file or folder of images of one's own: folder, npz or parquet. Raises DataError."""
    if place.is_file():
        if reader := FILES.get(place.suffix):
            return reader
        raise DataError(
            f"{place} is neither a folder nor a file that ends in {' or '.join(FILES)}; unpack an archive, and name "
            "the folder"
        )
    with raise_data_error(place, "Check data"):
        found = _forms(place)
    if len(found) > 1:
        first, second = sorted(found)[:2]
        raise DataError(
            f"{place} holds images in two forms; say which: data = {first!r} or {second!r}, and data_dir = "
            f"{str(place)!r}"
        )
    return found.pop() if found else "folder"


def _forms(place: Path) -> set[str]:
    found = set()
    for home, folders, names in os.walk(place):
        folders[:] = [name for name in folders if not is_junk(name)]
        for suffix in {Path(name).suffix for name in names if not is_junk(name)}:
            if suffix == ".parquet" or (suffix == ".npz" and Path(home) == place):
                found.add(FILES[suffix])
            elif suffix.lower() in SUFFIXES and Path(home) != place:
                found.add("folder")
    return found
