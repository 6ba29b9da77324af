"""A part of a data set as arrays to be mapped into memory, with its facts beside it in JSON.

Decoding, digests and statistics are done once and kept in `.nas` beside the files; the cache is valid as long as no
file changes, and made again when it is stale or damaged. Where nothing can be written it is done without.
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
from pydantic.dataclasses import dataclass as checked

from nas.errors import DataError
from nas.training.data.split import Images, Split
from nas.training.data.untrusted import writing

FORMAT = 1  # of the cache
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@checked(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Facts:
    """What need not be computed twice. mean, std: a channel each, in units of 255. counts: images of each class."""

    digest: str
    counts: tuple[int, ...]
    mean: tuple[Unit, ...]
    std: tuple[Unit, ...]


@dataclass(frozen=True)
class Prepared:
    """Images and labels of a part, perhaps mapped from a file, and the facts about them."""

    split: Split
    facts: Facts


def prepare(files: Sequence[Path], place: Path, name: str, read: Callable[[], Split]) -> Prepared:
    """The part that `read` gives, from the cache `name` in `place` where that is valid. Raises DataError."""
    if not files:
        return _made(read(), place)
    made_of = [str(FORMAT), *stamps(files, place)]
    cache = place / ".nas" / name
    if (found := _open(cache, made_of)) is not None:
        return found
    made = _made(read(), place)
    try:
        _write(cache, made, made_of)
    except OSError:  # no room, or not ours to write to: go on without
        return made
    return _open(cache, made_of) or made


def _made(split: Split, place: Path) -> Prepared:
    facts = describe(split)
    if not all(facts.std):
        raise DataError(f"{place}: the images are all alike; there is nothing to learn")
    return Prepared(split, facts)


def describe(split: Split) -> Facts:
    """Digest, class counts and statistics, exactly."""
    digest = sha256(f"{split.images.shape}".encode())
    digest.update(np.ascontiguousarray(split.images).data)
    digest.update(np.ascontiguousarray(split.labels).data)
    moments = [_moments(split.images[:, channel]) for channel in range(split.images.shape[1])]
    mean, std = zip(*moments, strict=True)
    return Facts(digest.hexdigest(), tuple(np.bincount(split.labels).tolist()), mean, std)


def _moments(pixels: Images) -> tuple[float, float]:
    """Mean and standard deviation of bytes, from their histogram."""
    histogram, values = np.zeros(256), np.arange(256) / 255
    for rows in np.array_split(pixels, 1 + pixels.size // 1_000_000):
        histogram += np.bincount(rows.reshape(-1), minlength=256)
    mean = float(histogram @ values / pixels.size)
    return mean, float(np.sqrt(histogram @ (values - mean) ** 2 / pixels.size))


def stamps(files: Sequence[Path], place: Path) -> list[str]:
    """Name, length and time of each file. Raises DataError when one is gone."""
    try:
        return [f"{os.path.relpath(path, place)} {(s := path.stat()).st_size} {s.st_mtime_ns}" for path in files]
    except OSError as problem:
        raise DataError(f"{problem.filename} cannot be read: {problem.strerror}") from None


def _open(cache: Path, made_of: list[str]) -> Prepared | None:
    """What lies in the cache, or None unless it is whole and made of these files."""
    images, labels, facts = _paths(cache)
    try:
        note = json.loads(facts.read_text(encoding="utf-8"))
        if note["made_of"] != _seal(made_of, images, labels, note["facts"]):
            return None
        split = Split(np.load(images, mmap_mode="r"), np.load(labels))
        return Prepared(split, TypeAdapter(Facts).validate_json(json.dumps(note["facts"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, DataError):
        return None


def _write(cache: Path, made: Prepared, made_of: list[str]) -> None:
    """Arrays first, then the facts that vouch for them; each file whole or not at all."""
    cache.parent.mkdir(exist_ok=True)
    images, labels, facts = _paths(cache)
    with writing(images) as file:
        np.save(file, made.split.images)
    with writing(labels) as file:
        np.save(file, made.split.labels)
    known = asdict(made.facts)
    note = {"made_of": _seal(made_of, images, labels, known), "facts": known}
    with writing(facts) as file:
        file.write(json.dumps(note, indent=1).encode())


def _paths(cache: Path) -> tuple[Path, Path, Path]:
    images, labels, facts = (cache.with_name(cache.name + end) for end in ("-images.npy", "-labels.npy", ".json"))
    return images, labels, facts


def _seal(made_of: list[str], images: Path, labels: Path, facts: object) -> str:
    """One digest of what the arrays were made of, of themselves by length and time, and of the facts."""
    lines = [*made_of, *stamps([images, labels], images.parent), json.dumps(facts)]
    return sha256("\n".join(lines).encode()).hexdigest()
