"""Bytes from files nobody has vouched for: never more than asked for, and one error for whatever is wrong."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nas.errors import DataError

MAX_BYTES = 4 << 30
"""Pixels of one split: a search keeps them in memory."""


@contextmanager
def reading(path: Path | str, remedy: str) -> Iterator[None]:
    """Turn whatever a decoder raises into a DataError that names the file and the remedy."""
    try:
        yield
    except DataError:
        raise
    except Exception as problem:  # crafted bytes make decoders raise anything
        said = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise DataError(f"{path} cannot be read: {said}. {remedy}") from problem


def whole(path: Path, most: int) -> bytes:
    """A file's content, inflated where its name ends in .gz. Raises ValueError when it is longer than `most`."""
    if path.suffix != ".gz" and path.stat().st_size > most:
        raise ValueError(f"{path.stat().st_size:,} bytes, where at most {most:,} are expected")
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"more than the {most:,} bytes expected")
    return content


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is whole, or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
