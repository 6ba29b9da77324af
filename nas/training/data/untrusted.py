"""Reading files of unknown origin: limits on their size, and one error for anything wrong with them."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nas.errors import DataError

MAX_BYTES = 4 << 30
"""Pixels of one split: a search keeps them in memory."""


@contextmanager
def raise_data_error(path: Path | str, remedy: str) -> Iterator[None]:
    """Turn any exception of a decoder into a DataError that names the file and the remedy. Raises DataError."""
    try:
        yield
    except DataError:
        raise
    except Exception as problem:  # crafted bytes make decoders raise anything
        reason = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise DataError(f"{path} cannot be read: {reason}. {remedy}") from problem


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return a file's content, decompressed if its name ends in .gz. Raises ValueError if it exceeds `max_bytes`."""
    if path.suffix != ".gz" and path.stat().st_size > max_bytes:
        raise ValueError(f"{path.stat().st_size:,} bytes, where at most {max_bytes:,} are expected")
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"more than the {max_bytes:,} bytes expected")
    return content
