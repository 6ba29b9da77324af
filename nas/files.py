"""Files that appear under their name whole, or not at all; text files of any editor; file systems without room."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

DISK_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
MIN_ROOM = 64 * 1024  # bytes; SQLite takes half of it to read a study


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path`; when the block ends well it is synced and renamed, otherwise removed.

    Raises OSError, naming `path`, when it cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with _naming(path, part):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def atomic_write(path: Path, content: str | bytes) -> Path:
    """Write a whole file, text as UTF-8, and return its path. Raises OSError, naming the path."""
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path


def read_text(path: Path) -> str:
    """Return a file's text, UTF-8 with or without a byte order mark. Raises OSError and UnicodeDecodeError."""
    return path.read_text(encoding="utf-8-sig")


def line_of(text: str, path: list[str]) -> int | None:
    """Return the line of a TOML document on which a key, or the nearest table above it, stands."""
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]+)\]+", line):
            table = [part.strip().strip("\"'") for part in header[1].split(".")]
            here = table
        elif assignment := re.match(r"\s*([\w.\-\"' ]+?)\s*=", line):
            here = table + [part.strip().strip("\"'") for part in assignment[1].split(".")]
        else:
            continue
        if here == path[: len(here)] and (best is None or len(here) > best[0]):
            best = len(here), number
    return best and best[1]


def append(path: Path, content: bytes) -> None:
    """Add to the end of a file: all of the content, or nothing. Raises OSError, naming the path."""
    with _naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            before, rest = file.tell(), memoryview(content)
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError:
                file.truncate(before)
                raise


@contextmanager
def _naming(path: Path, part: Path | None = None) -> Iterator[None]:
    """Let an OSError of the system name the file it is about: a write that fails does not, by itself."""
    try:
        yield
    except OSError as problem:
        if problem.errno is not None and problem.filename in (None, str(part)):
            problem.filename = str(path)
        raise


def room_hint(path: str) -> str:
    """Return the end of a message when the file system of a path is full, otherwise ""."""
    try:
        full = shutil.disk_usage(path).free < MIN_ROOM
    except OSError:
        return ""
    return ". Its file system is full: make room and run the command again" if full else ""
