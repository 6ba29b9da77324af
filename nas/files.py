"""Files that appear under their name whole, or not at all, and text files of any editor."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path`; when the block ends well it is synced and renamed, otherwise removed.

    Raises OSError when it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def atomic_write(path: Path, content: str | bytes) -> Path:
    """Write a whole file, text as UTF-8, and return its path. Raises OSError."""
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path


def read_text(path: Path) -> str:
    """Return a file's text, UTF-8 with or without a byte order mark. Raises OSError and UnicodeDecodeError."""
    return path.read_text(encoding="utf-8-sig")
