"""Parquet files with encoded images, as the hubs publish image sets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nas.errors import DataError
from nas.training.data.images import PREPARATION, ImageStack
from nas.training.data.items import IMAGE_COLUMNS, LABEL_COLUMNS
from nas.training.data.part_names import is_junk, prefixed_part
from nas.training.data.reader import Part
from nas.training.data.readers.npz import check_labels
from nas.training.data.source import Size
from nas.training.data.split import Split
from nas.training.data.untrusted import raise_data_error

CONTENT = (
    f"It must have a column {' or '.join(IMAGE_COLUMNS)} of encoded images (or of structs with a field bytes) and a "
    f"column {' or '.join(LABEL_COLUMNS)} of integers"
)
MAX_IMAGES = 10_000_000
BATCH_ROWS = 64  # decoded at a time: an image repeated by a dictionary must not fill the memory


class Parquet:
    """DIR/**/train*.parquet, validation* and test*, or folders of these names; else one part, as one file."""

    name: ClassVar[str] = "parquet"
    summary: ClassVar[str] = "your own: Parquet files with encoded images"
    task: ClassVar[None] = None
    resizes: ClassVar[bool] = True
    own: ClassVar[bool] = True
    preparation: ClassVar[str] = PREPARATION

    def class_names(self, data_dir: Path) -> tuple[str, ...]:
        """Return none: they are not read."""
        return ()

    def parts(self, data_dir: Path) -> tuple[Part, ...]:
        """Return the parts that names of files or folders tell, "train" always. Raises DataError."""
        return tuple(_files_by_part(data_dir))

    def files(self, data_dir: Path, part: Part) -> list[Path]:
        """Return a part's files. Raises DataError if there are none."""
        return _files_by_part(data_dir)[part]

    def read(self, files: list[Path], part: Part, size: Size | None) -> Split:
        """Return the images of a part. Raises DataError naming file and row."""
        counts = [_rows(path) for path in files]
        if not 0 < sum(counts) <= MAX_IMAGES:
            raise DataError(f"{files[0].parent}: {sum(counts):,} rows, where 1 to {MAX_IMAGES:,} are expected")
        stack, labels = ImageStack(sum(counts), size, files[0].parent), []
        for path, count in zip(files, counts, strict=True):
            with raise_data_error(path, CONTENT):
                labels.append(_read(path, count, stack))
        return stack.split(np.concatenate(labels))


def _files_by_part(data_dir: Path) -> dict[Part, list[Path]]:
    """Return the files of each part in order; all are for training if no name tells a part.

    Raises DataError if there are none, if some belong to no part, and if there are several sets.
    """
    with raise_data_error(data_dir, "Check data_dir"):
        if data_dir.is_file():
            return {"train": [data_dir]}
        names = sorted(path.relative_to(data_dir) for path in data_dir.rglob("*.parquet") if path.is_file())
    names = [name for name in names if not any(map(is_junk, name.parts))]
    if not names:
        raise DataError(f"{data_dir}: no .parquet files. Name their folder as data_dir in the experiment")
    told = {name: _told_part(name) for name in names}
    if not any(told.values()):
        return {"train": [data_dir / name for name in names]}
    by_part: dict[Part, list[Path]] = {"train": [], "validation": [], "test": []}
    sets = {}
    for name, (part, place) in ((name, each) for name, each in told.items() if each):
        by_part[part].append(data_dir / name)
        sets[place] = name
    if stray := next((name for name, each in told.items() if each is None), None):
        raise DataError(f"{data_dir}: {stray} belongs to none of train, validation and test; rename it or move it away")
    if len(sets) > 1:
        first, second = list(sets.values())[:2]
        raise DataError(f"{data_dir}: {first} and {second} are of two sets; name the folder of one as data_dir")
    if not by_part["train"]:
        raise DataError(f"{data_dir}: {names[0]} is not for training, and no file or folder is named train")
    return {part: files for part, files in by_part.items() if files}


def _told_part(name: Path) -> tuple[Part, Path] | None:
    """Return the part that a relative path tells, and the folder of the set: what lies above the name that tells it."""
    for place, step in zip(reversed(name.parents), name.parts, strict=True):
        if part := prefixed_part(step):
            return part, place
    return None


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
        image, label = (_column(names, accepted) for accepted in (IMAGE_COLUMNS, LABEL_COLUMNS))
        for batch in file.iter_batches(BATCH_ROWS, columns=[image, label], use_threads=False):
            for content, number in zip(batch.column(image), batch.column(label), strict=True):
                value = content.as_py()
                yield value.get("bytes") if isinstance(value, dict) else value, number.as_py()


def _column(names: list[str], accepted: tuple[str, ...]) -> str:
    for name in accepted:
        if name in names:
            return name
    raise ValueError(f"its columns are {', '.join(names[:8])}")
