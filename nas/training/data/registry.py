"""The readers of data sets by name. An entry describes itself, so one `register` adds a reader everywhere."""

from typing import Any

from nas.errors import ExperimentError
from nas.registry import Registry
from nas.training.data.catalog.public_sets import PUBLIC_SETS
from nas.training.data.reader import Reader
from nas.training.data.readers.digits import Digits
from nas.training.data.readers.folder import Folder
from nas.training.data.readers.npz import Npz
from nas.training.data.readers.parquet import Parquet
from nas.user_code import is_outside

MEMBERS = [name for name in vars(Reader) if not name.startswith("_")]


def make_user_reader(name: str, reader_class: Any) -> Reader:
    """Return an instance of the class that a user's `module:Class` or `file.py:Class` names.

    Raises ExperimentError if it cannot be created without arguments, or lacks a member of Reader.
    """
    try:
        reader: Reader = reader_class()
    except Exception as problem:
        raise ExperimentError(f"{name} cannot be created: {type(problem).__name__}: {problem}") from problem
    if missing := [member for member in MEMBERS if not hasattr(reader, member)]:
        raise ExperimentError(f"{name} is not a data reader: it has no {', '.join(missing)}")
    return reader


BUNDLED: tuple[Reader, ...] = (Digits(), *PUBLIC_SETS.values(), Folder(), Npz(), Parquet())
READERS: Registry[Reader] = Registry("data set", make_user_reader)
for _reader in BUNDLED:
    READERS.register(_reader)


def preparation(name: str) -> str:
    """Return what became of the files' images before they were pixels, in words; empty if that is not known.

    A user's reader is not imported.
    """
    return str(getattr(READERS.get(name), "preparation", ""))


def pixel_max(name: str) -> int:
    """Return the pixel value of white: 255 unless the reader says otherwise. A user's reader is not imported."""
    return int(getattr(READERS.get(name), "pixel_max", 255))


def is_own(name: str) -> bool:
    """Return whether the files of a data set are a user's own, without importing a user's reader.

    The set of a user's own reader is; an unknown one is not.
    """
    return READERS[name].own if name in READERS else is_outside(name)
