"""A source's images, divided into what a search may see and what it may not."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from nas.errors import DataError, ExperimentError
from nas.genome.task import Task
from nas.training.data.cache import DataPart, cached_part, file_stamps, measure_part
from nas.training.data.images import LARGE, ImageSizeError
from nas.training.data.locate import locate
from nas.training.data.reader import Part, Reader
from nas.training.data.registry import READERS
from nas.training.data.source import Source
from nas.training.data.split import (
    Data,
    Labels,
    Rows,
    Split,
    join_splits,
    remaining_rows,
    sample_rows,
    select_rows,
)
from nas.user_code import code_digest

TEST, VALIDATION, VALIDATION_WITHOUT_TEST = 0.2, 0.1, 0.25
"""Shares held out: for the test where a set has no test part; for validation; and of what is left of such a set."""
TEST_SEED = 0
"""The same images are held out for the test, whatever the division of the others."""
MAX_CLASSES = 100_000
ALL_PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class DataSummary:
    """A set in numbers and names, without its images.

    images, test: digests of train and validation together, and of the test split. mean, std: as in `Data`.
    class_names: in the order of labels, none if unknown.
    """

    images: str
    test: str
    task: Task
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]


def task(source: Source | str) -> Task:
    """Return the shape of the images and the number of classes; files are read only if needed. Raises DataError."""
    source = _as_source(source)
    if (fixed := find_reader(source).task) is not None:
        return fixed
    return _task_of(source, load_parts(source)["train"])


def class_names(source: Source | str) -> tuple[str, ...]:
    """Return the names of the classes in the order of their labels; none if unknown. Raises DataError."""
    source = _as_source(source)
    return find_reader(source).class_names(source.data_dir)


def summarize(source: Source | str) -> DataSummary:
    """Return what a run records of a set; each of its parts is read once at most.

    Raises DataError, of the test images too.
    """
    source = _as_source(source)
    parts = load_parts(source, with_test=True)
    train, test = parts["train"], parts["test"].statistics
    return DataSummary(
        _seen_digest(parts), test.digest, _task_of(source, train), train.statistics.mean, train.statistics.std,
        class_names(source),
    )  # fmt: skip


def load_data(source: Source | str) -> Data:
    """Return the train and validation splits; they are read again when their files change.

    All parts of a set of one's own are checked, the test included. Raises DataError.
    """
    source = _as_source(source)
    return _load_data(source, os.path.abspath(source.data_dir), _stamps(source))


def load_test(source: Source | str) -> Split:
    """Return the test split: for the final evaluation of a network, never for choosing one. Raises DataError."""
    source = _as_source(source)
    parts = load_parts(source)
    test = parts["test"] if "test" in parts else _load_part(source, "test", {})
    return select_rows(test.split, np.arange(len(test.split.labels)))


def _as_source(source: Source | str) -> Source:
    return Source(*locate(source)) if isinstance(source, str) else source


def find_reader(source: Source) -> Reader:
    """Return the reader of a source. Raises DataError, also for settings that do not suit it."""
    try:
        reader = READERS.find(source.name)
    except ExperimentError as problem:
        raise DataError(str(problem)) from problem
    if source.image_size and not reader.resizes:
        able = " and ".join(name for name, each in READERS.items() if each.resizes)
        raise DataError(f"image_size (={source.image_size}) is for {able}; {source.name} has its own size")
    if source.validation is not None and "validation" in reader.parts(source.data_dir):
        raise DataError(
            f"{source.data_dir} has images for validation, which are used; remove validation (={source.validation}) "
            "from the experiment"
        )
    return reader


@lru_cache(2)
def _load_data(source: Source, _place: str, _stamps: tuple[str, ...]) -> Data:
    parts = load_parts(source)
    part = parts["train"]
    kept, held_out = _hold_out(source, part.split.labels, own="validation" in parts)
    train = select_rows(part.split, kept)
    if "validation" in parts:
        whole = parts["validation"].split
        validation = select_rows(whole, np.arange(len(whole.labels)))
    else:
        validation = select_rows(part.split, held_out)
    if source.all_images:
        train = join_splits(train, validation)
    statistics = part.statistics
    return Data(_task_of(source, part), train, validation, statistics.mean, statistics.std, _seen_digest(parts))


def _task_of(source: Source, train: DataPart) -> Task:
    """Return the reader's task, or what the images for training tell."""
    fixed = find_reader(source).task
    return fixed or Task(source.name, train.split.images.shape[1:], len(train.statistics.counts))


def _seen_digest(parts: Mapping[Part, DataPart]) -> str:
    """Return the digest of the images for training and validation."""
    seen = [parts[part].statistics.digest for part in ("train", "validation") if part in parts]
    return seen[0] if len(seen) == 1 else sha256("".join(seen).encode()).hexdigest()


def _stamps(source: Source) -> tuple[str, ...]:
    """Return what changes when other images would be read."""
    reader, data_dir = find_reader(source), source.data_dir
    parts = [part for part in reader.parts(data_dir) if reader.task is None or part != "test"]
    return tuple(stamp for part in parts for stamp in file_stamps(reader.files(data_dir, part), data_dir))


def _hold_out(source: Source, labels: Labels, own: bool) -> tuple[Rows, Rows]:
    """Return the rows to train on and those to validate with; none of the latter where the set has its own."""
    share = source.validation
    if share is None:
        share = VALIDATION if "test" in find_reader(source).parts(source.data_dir) else VALIDATION_WITHOUT_TEST
    held_out = sample_rows(labels, 0 if own else round(share * len(labels)), source.division)
    kept = remaining_rows(len(labels), held_out)
    if source.train_images is not None:
        if source.train_images > len(kept):
            raise DataError(f"train_images (={source.train_images:,}): only {len(kept):,} are left after validation")
        kept = kept[sample_rows(labels[kept], source.train_images, source.division)]
    missing = np.setdiff1d(labels, labels[kept])
    if len(missing) or not (own or len(held_out)):
        purpose = f"to train class {missing[0]} with" if len(missing) else "to validate with"
        raise DataError(
            f"{source.data_dir}: no image is left {purpose}; add images, or change train_images or validation"
        )
    return kept, held_out


def load_parts(source: Source, with_test: bool = False) -> dict[Part, DataPart]:
    """Return the parts for training and validation, and the test of a set of one's own, whose parts must agree.

    They are in color if one of them is. with_test: the test of any set. Raises DataError.
    """
    reader, data_dir, whole = find_reader(source), source.data_dir, dict[Part, Split]()
    if reader.task is not None:
        wanted: tuple[Part, ...] = ("train", "test") if with_test else ("train",)
        return {part: _load_part(source, part, whole) for part in wanted}
    own = reader.parts(data_dir)
    parts = {part: _load_part(source, part, whole) for part in ALL_PARTS if part in own or part == "test"}
    train = parts["train"]
    for part, found in parts.items():
        shape, expected = found.split.images.shape[2:], train.split.images.shape[2:]
        if shape != expected:
            remedy = "set image_size" if reader.resizes else "they must agree"
            message = f"{data_dir}: images for {part} are {shape}, those for training {expected}; {remedy}"
            raise ImageSizeError(message, min(*expected, LARGE)) if reader.resizes else DataError(message)
        if part in own:
            _check_classes(found, train, part, reader.class_names(data_dir), data_dir)
    if len({found.split.images.shape[1] for found in parts.values()}) > 1:
        return {part: _in_color(found, data_dir) for part, found in parts.items()}
    return parts


def _check_classes(found: DataPart, train: DataPart, part: Part, names: Sequence[str], data_dir: object) -> None:
    """Check that a part has images of every class for training, and of no other. Raises DataError."""
    classes = len(train.statistics.counts)
    counts = [*found.statistics.counts, *[0] * classes][: max(classes, len(found.statistics.counts))]
    if len(counts) > classes:
        raise DataError(
            f"{data_dir}: an image for {part} is of class {len(counts) - 1}, and those for training are of classes 0 "
            f"to {classes - 1}; add that class there, or remove it here"
        )
    if 0 in counts:
        label = counts.index(0)
        called = _called(label, names)
        raise DataError(
            f"{data_dir}: no image for {part} is of class {label}{called}; add some, or leave out that part"
        )


def _called(label: int, names: Sequence[str]) -> str:
    return f" ({names[label]})" if label < len(names) else ""


def _in_color(part: DataPart, data_dir: Path) -> DataPart:
    """Return a part with three channels, those of a grayscale image being equal."""
    images = part.split.images
    return part if images.shape[1] == 3 else measure_part(replace(part.split, images=images.repeat(3, 1)), data_dir)


def _load_part(source: Source, part: Part, whole: dict[Part, Split]) -> DataPart:
    """Return the images of a part: the set's own, or for training or the test what our division gives.

    whole: the set's parts that were read already; one that is read now is added.
    """
    reader, data_dir, size = find_reader(source), source.data_dir, source.size
    present = reader.parts(data_dir)
    divides = "test" not in present and part != "validation"
    stored: Part = part if part in present else "train"
    files, names = reader.files(data_dir, stored), reader.class_names(data_dir)

    def read() -> Split:
        if stored not in whole:
            whole[stored] = reader.read(files, stored, size)
            _check_labels(whole[stored].labels, data_dir, gaps=stored != "train")
        return _divide(whole[stored], part, data_dir, names) if divides else whole[stored]

    cut = f"{TEST} of them for the test, seed {TEST_SEED}" if divides else "whole"
    key = [f"{source.name}{code_digest(source.name)}: {part} from {stored}, {cut}, size {size}", *names]
    name = re.sub(r"[^\w.-]+", "_", source.name, flags=re.ASCII)[-60:]  # a user's file.py:Class as a file name
    scaled = ["x".join(map(str, size))] if size else []
    return cached_part(files, data_dir, "-".join([name, part, *scaled]), key, read)


def _check_labels(labels: Labels, data_dir: object, gaps: bool) -> None:
    """Check the numbers of the classes; with `gaps`, some may be missing. Raises DataError."""
    counts = np.bincount(labels) if labels.min() >= 0 and labels.max() < MAX_CLASSES else np.zeros(1)
    if len(counts) == 1 and counts.all() and not gaps:
        raise DataError(f"{data_dir}: {len(labels):,} images, all of one class; there is nothing to tell apart")
    if not counts.any() or not (gaps or counts.all()):
        raise DataError(
            f"{data_dir}: {len(labels):,} labels from {labels.min()} to {labels.max()}, some number between 0 and the "
            "highest without an image; number the classes from 0 without gaps"
        )


def _divide(split: Split, part: Part, data_dir: object, names: Sequence[str]) -> Split:
    """Return the images for training or those held out for the test.

    Raises DataError when there would be none for the test, or none to train a class with.
    """
    labels = split.labels
    test = sample_rows(labels, round(TEST * len(labels)), TEST_SEED)
    kept = remaining_rows(len(labels), test)
    remedy = f"as {TEST:.0%} are held out for the test; add images, or a part for the test"
    if not len(test):
        raise DataError(f"{data_dir}: {len(labels)} images are too few, {remedy}")
    if len(missing := np.setdiff1d(labels, labels[kept])):
        label = int(missing[0])
        raise DataError(f"{data_dir}: no image of class {label}{_called(label, names)} is left to train with, {remedy}")
    return select_rows(split, test if part == "test" else kept)
