"""Parquet files with encoded images, as the hubs publish image sets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nas.errors import DataError
from nas.training.data.images import ImageStack
from nas.training.data.reader import Part
from nas.training.data.readers.npz import check_labels
from nas.training.data.split import Split
from nas.training.data.untrusted import raise_data_error

IMAGES, LABELS = ("image", "img"), ("label", "fine_label", "labels")
CONTENT = (
    f"It must have a column {' or '.join(IMAGES)} of PNG or JPEG bytes (or of structs with a field bytes) and a column "
    f"{' or '.join(LABELS)} of integers"
)
MAX_IMAGES = 10_000_000
BATCH_ROWS = 64  # decoded at a time: an image repeated by a dictionary must not fill the memory


class Parquet:
    """DIR/**/train*.parquet and test*.parquet (or val*), or folders of these names; else all files are one part."""

    name: ClassVar[str] = "parquet"
    summary: ClassVar[str] = "your own: Parquet files with encoded images"
    task: ClassVar[None] = None
    resizes: ClassVar[bool] = True
    own: ClassVar[bool] = True

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return none: they are not read."""
        return ()

    def has_test(self, data_dir: Path) -> bool:
        """Return whether the names distinguish training files from test files. Raises DataError."""
        return self.files(data_dir, "train") != self.files(data_dir, "test")

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return a part's files by name, or all files if the names do not distinguish parts.

        Raises DataError if there are none.
        """
        with raise_data_error(data_dir, "Check data_dir"):
            paths = sorted(data_dir.rglob("*.parquet"))
        if not paths:
            raise DataError(f"{data_dir}: no .parquet files. Name their folder as data_dir in the experiment")
        train = _named(paths, data_dir, "train")
        test = _named(paths, data_dir, "test") or _named(paths, data_dir, "val")
        named = train if part == "train" else test
        return named if train and test else train or paths

    def read(self, files: list[Path], part: Part, size: int | None) -> Split:
        """Return the images of a part. Raises DataError naming file and row."""
        counts = [_rows(path) for path in files]
        if not 0 < sum(counts) <= MAX_IMAGES:
            raise DataError(f"{files[0].parent}: {sum(counts):,} rows, where 1 to {MAX_IMAGES:,} are expected")
        stack, labels = ImageStack(sum(counts), size), []
        for path, count in zip(files, counts, strict=True):
            with raise_data_error(path, CONTENT):
                labels.append(_read(path, count, stack))
        return Split(stack.images(), np.concatenate(labels))


def _named(paths: list[Path], data_dir: Path, name: str) -> list[Path]:
    return [path for path in paths if any(part.startswith(name) for part in path.relative_to(data_dir).parts)]


def _rows(path: Path) -> int:
    from pyarrow.parquet import ParquetFile

    with raise_data_error(path, CONTENT), ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def _read(path: Path, count: int, stack: ImageStack) -> Any:
    labels = []
    for row, (content, label) in enumerate(_pairs(path)):
        if row >= count:
            raise ValueError(f"more than the {count:,} rows declared")
        with raise_data_error(f"{path}, row {row}", CONTENT):
            if not isinstance(content, bytes):
                raise ValueError(f"its image is not bytes but {type(content).__name__}")
            stack.add(content)
            labels.append(label)
    if len(labels) != count:
        raise ValueError(f"{len(labels):,} rows, where {count:,} are declared")
    return check_labels(np.array(labels), count)


def _pairs(path: Path) -> Iterator[tuple[Any, Any]]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        names = file.schema_arrow.names
        image, label = (_column(names, accepted) for accepted in (IMAGES, LABELS))
        for batch in file.iter_batches(BATCH_ROWS, columns=[image, label], use_threads=False):
            for content, number in zip(batch.column(image), batch.column(label), strict=True):
                value = content.as_py()
                yield value.get("bytes") if isinstance(value, dict) else value, number.as_py()


def _column(names: list[str], accepted: tuple[str, ...]) -> str:
    for name in accepted:
        if name in names:
            return name
    raise ValueError(f"its columns are {', '.join(names[:8])}")
