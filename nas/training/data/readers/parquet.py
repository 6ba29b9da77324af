"""Parquet files with encoded pictures, as the hubs publish image sets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nas.errors import DataError
from nas.training.data.images import Stack
from nas.training.data.reader import Part
from nas.training.data.readers.npz import numbers
from nas.training.data.split import Split
from nas.training.data.untrusted import reading

IMAGES, LABELS = ("image", "img"), ("label", "fine_label", "labels")
CONTENT = (
    f"It must have a column {' or '.join(IMAGES)} of PNG or JPEG bytes (or of structs with a field bytes) and a column "
    f"{' or '.join(LABELS)} of whole numbers"
)
MAX_IMAGES = 10_000_000
ROWS = 64  # decoded at a time: a picture repeated by a dictionary must not fill the memory


class Parquet:
    """DIR/**/train*.parquet and test*.parquet (or validation), or folders of these names; else all files are one."""

    task: ClassVar[None] = None
    resizes: ClassVar[bool] = True

    def names(self, place: Path) -> tuple[str, ...]:
        """Not known."""
        return ()

    def divided(self, place: Path) -> bool:
        """Whether names tell files for training from files for the test. Raises DataError."""
        return self.files(place, "train") != self.files(place, "test")

    def files(self, place: Path, part: Part) -> list[Path]:
        """A part's files by name; all where names do not tell. Raises DataError when there are none."""
        with reading(place, "Check data_dir"):
            found = sorted(place.rglob("*.parquet"))
        if not found:
            raise DataError(f"{place}: no .parquet files. Name their folder as data_dir in the experiment")
        train = _named(found, place, "train")
        test = _named(found, place, "test") or _named(found, place, "val")
        named = train if part == "train" else test
        return named if train and test else train or found

    def read(self, files: list[Path], part: Part, size: int | None) -> Split:
        """The pictures of a part. Raises DataError naming file and row."""
        counts = [_rows(path) for path in files]
        if not 0 < sum(counts) <= MAX_IMAGES:
            raise DataError(f"{files[0].parent}: {sum(counts):,} rows; from 1 to {MAX_IMAGES:,} are read")
        pictures, labels = Stack(sum(counts), size), []
        for path, count in zip(files, counts, strict=True):
            with reading(path, CONTENT):
                labels.append(_read(path, count, pictures))
        return Split(pictures.images(), np.concatenate(labels))


def _named(found: list[Path], place: Path, name: str) -> list[Path]:
    return [path for path in found if any(part.startswith(name) for part in path.relative_to(place).parts)]


def _rows(path: Path) -> int:
    from pyarrow.parquet import ParquetFile

    with reading(path, CONTENT), ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def _read(path: Path, count: int, pictures: Stack) -> Any:
    labels = []
    for row, (content, label) in enumerate(_pairs(path)):
        if row >= count:
            raise ValueError(f"more than the {count:,} rows promised")
        with reading(f"{path}, row {row}", CONTENT):
            if not isinstance(content, bytes):
                raise ValueError(f"its image is no bytes but {type(content).__name__}")
            pictures.add(content)
            labels.append(label)
    if len(labels) != count:
        raise ValueError(f"{len(labels):,} rows, where {count:,} are promised")
    return numbers(np.array(labels), count)


def _pairs(path: Path) -> Iterator[tuple[Any, Any]]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        names = file.schema_arrow.names
        image, label = (_column(names, known) for known in (IMAGES, LABELS))
        for batch in file.iter_batches(ROWS, columns=[image, label], use_threads=False):
            for content, number in zip(batch.column(image), batch.column(label), strict=True):
                value = content.as_py()
                yield value.get("bytes") if isinstance(value, dict) else value, number.as_py()


def _column(names: list[str], known: tuple[str, ...]) -> str:
    for name in known:
        if name in names:
            return name
    raise ValueError(f"its columns are {', '.join(names[:8])}")
