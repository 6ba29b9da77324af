"""A file system that fills: ballast takes its room."""

from contextlib import suppress
from pathlib import Path


def fill(place: Path, room: int = 0) -> Path:
    """Fill the file system of a folder but for so many bytes, and return the ballast, to be removed."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**16, 2**12, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
        file.truncate(file.tell() - room)
    return ballast
