"""A part of a data set as arrays that are mapped into memory, with its statistics in JSON.

Decoding, digests and statistics are computed once and kept in `.nas` next to the files. The cache is valid as long as
neither a file nor anything else that decides the result changes, and is made again when it is stale or damaged. Without
permission to write there is no cache.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass as pydantic_dataclass

from nas.errors import DataError
from nas.files import atomic_file, atomic_write, read_text
from nas.training.data.split import Images, Split

FORMAT = 3  # of the cache and of the decoding of images
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@pydantic_dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Statistics:
    """What is computed once per part. counts: images per class. mean, std: per channel, in units of 255."""

    digest: str
    counts: tuple[int, ...]
    mean: tuple[Unit, ...]
    std: tuple[Unit, ...]


@dataclass(frozen=True)
class DataPart:
    """Images and labels of a part, possibly mapped from a file, and their statistics."""

    split: Split
    statistics: Statistics


def cached_part(
    files: Sequence[Path], data_dir: Path, name: str, key: Sequence[str], read: Callable[[], Split]
) -> DataPart:
    """Return the part that `read` gives, from the cache `name` in `data_dir`, or beside that file, if that is valid.

    `key` is all that decides the result besides the files. Raises DataError.
    """
    if not files:
        return measure_part(read(), data_dir)
    stamps = [str(FORMAT), *key, *file_stamps(files, data_dir)]
    alone = data_dir.is_file()
    cache = data_dir.parent / ".nas" / f"{data_dir.name}-{name}" if alone else data_dir / ".nas" / name
    if (cached := _read_cache(cache, stamps)) is not None:
        return cached
    part = measure_part(read(), data_dir)
    try:
        _write_cache(cache, part, stamps)
    except OSError:  # no space, or no permission: go on without a cache
        return part
    return _read_cache(cache, stamps) or part


def measure_part(split: Split, data_dir: Path) -> DataPart:
    """Return a part with its statistics. Raises DataError for images without any difference."""
    statistics = compute_statistics(split)
    if not all(statistics.std):
        raise DataError(f"{data_dir}: the images are all alike; there is nothing to learn")
    return DataPart(split, statistics)


def compute_statistics(split: Split) -> Statistics:
    """Return a split's digest, class counts, mean and standard deviation, exactly."""
    moments = [_moments(split.images[:, channel]) for channel in range(split.images.shape[1])]
    mean, std = zip(*moments, strict=True)
    return Statistics(split_digest(split), tuple(np.bincount(split.labels).tolist()), mean, std)


def split_digest(split: Split) -> str:
    """Return the digest of a split's images and labels."""
    digest = sha256(f"{split.images.shape}".encode())
    digest.update(np.ascontiguousarray(split.images).data)
    digest.update(np.ascontiguousarray(split.labels).data)
    return digest.hexdigest()


def _moments(pixels: Images) -> tuple[float, float]:
    """Return mean and standard deviation of bytes, from their histogram."""
    histogram, values = np.zeros(256), np.arange(256) / 255
    for rows in np.array_split(pixels, 1 + pixels.size // 1_000_000):
        histogram += np.bincount(rows.reshape(-1), minlength=256)
    mean = float(histogram @ values / pixels.size)
    return mean, float(np.sqrt(histogram @ (values - mean) ** 2 / pixels.size))


def file_stamps(files: Sequence[Path], data_dir: Path) -> list[str]:
    """Return name, length and times of each file; a file that is renamed changes the last of these.

    Raises DataError when one is missing.
    """
    try:
        return [
            f"{os.path.relpath(path, data_dir)} {(s := path.stat()).st_size} {s.st_mtime_ns} {s.st_ctime_ns}"
            for path in files
        ]
    except OSError as problem:
        raise DataError(f"{problem.filename} cannot be read: {problem.strerror}") from None


def _read_cache(cache: Path, stamps: list[str]) -> DataPart | None:
    """Return the content of the cache, or None unless it is complete and was made of these files."""
    images, labels, note = _paths(cache)
    try:
        content = json.loads(read_text(note))
        facts, notes = content["facts"], content["notes"]
        if content["made_of"] != _seal(stamps, images, labels, facts, notes):
            return None
        split = Split(
            np.load(images, mmap_mode="r"), np.load(labels), TypeAdapter(dict[str, int]).validate_python(notes)
        )
        return DataPart(split, TypeAdapter(Statistics).validate_json(json.dumps(facts)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, DataError):
        return None


def _write_cache(cache: Path, part: DataPart, stamps: list[str]) -> None:
    """Write the arrays first, then the note whose seal makes them valid; each file is written atomically."""
    cache.parent.mkdir(exist_ok=True)
    images, labels, note = _paths(cache)
    with atomic_file(images) as file:
        np.save(file, part.split.images)
    with atomic_file(labels) as file:
        np.save(file, part.split.labels)
    facts, notes = asdict(part.statistics), dict(part.split.notes)
    content = {"made_of": _seal(stamps, images, labels, facts, notes), "facts": facts, "notes": notes}
    atomic_write(note, json.dumps(content, indent=1))


def _paths(cache: Path) -> tuple[Path, Path, Path]:
    images, labels, note = (cache.with_name(cache.name + end) for end in ("-images.npy", "-labels.npy", ".json"))
    return images, labels, note


def _seal(stamps: list[str], images: Path, labels: Path, facts: object, notes: object) -> str:
    """Return one digest of the stamps of the source files and of the arrays, of the statistics and of the notes."""
    lines = [*stamps, *file_stamps([images, labels], images.parent), json.dumps([facts, notes])]
    return sha256("\n".join(lines).encode()).hexdigest()
